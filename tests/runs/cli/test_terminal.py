"""Texts of anybody on a pseudo-terminal: they cannot act on it, and files get them as they are."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from runs.cli.shared.streams import harmless
from tests.support.command import Command

pytestmark = pytest.mark.slow

HOSTILE = {
    "clear": "\x1b[2J",
    "title": "\x1b]0;owned\x07",
    "c1": "\x9b31m",
    "delete": "\x7f",
    "backspace": "ok\x08\x08no",
    "return": "fail\rpass",
    "bidi": "\u202egnp.exe",
    "isolate": "\u2066x\u2069",
    "mark": "\u200f",
    "unseen": "a\u200bb\u2060c\ufeff",
    "tag": "\U000e0041",
}

COLOURS = re.compile(rb"\x1b\[\d+m")


@pytest.fixture(scope="module")
def troop(tmp_path_factory):
    """A command whose database has no run yet."""
    made = Command(tmp_path_factory.mktemp("hostile"))
    code = "from runs.store.database import open_database as o; import sys; o(sys.argv[1])"
    path = made.folder / "data" / "troop"
    path.mkdir(parents=True)
    subprocess.run([sys.executable, "-c", code, made.database], check=True, env=made.environment)
    return made


def on_terminal(troop: Command, *words: str, program: tuple[str, ...] = ("-m", "runs")) -> bytes:
    """What a terminal gets of standard output and standard error."""
    ours, theirs = pty.openpty()
    environment = troop.environment | {"PYTHONIOENCODING": "utf-8", "TERM": "xterm"}
    running = subprocess.Popen(
        [sys.executable, *program, *words],
        cwd=troop.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    found = b""
    while True:
        try:
            piece = os.read(ours, 1 << 16)
        except OSError:  # Linux says so when the other side is closed
            break
        if not piece:
            break
        found += piece
    running.wait()
    os.close(ours)
    return found


def selecting(text: str) -> str:
    return f"SELECT {' || '.join(f'char({ord(c)})' for c in text)} AS said, 1 AS other"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_query_cannot_act_on_the_terminal(troop, form, text):
    shown = on_terminal(troop, "sql", "--format", form, selecting(text))
    assert b"other" in shown
    plain = COLOURS.sub(b"", shown.replace(b"\r\n", b"\n")).decode()
    assert not {c for c in text if harmless(c) != c} & set(plain)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_file_gets_every_byte(troop, text):
    assert json.loads(troop.finish("sql", "--format", "json", selecting(text)))["said"] == text
    lines = troop.finish("sql", "--format", "csv", selecting(text))
    if "\r" not in text:  # which Python reads as the end of a line
        assert lines == f"said,other\n{text},1\n"


@pytest.mark.parametrize(
    "words",
    [
        ("show", "no\x1b[2J\u202erun"),
        ("solve\x1b[2J\u202e",),
        ("show", "--no\x1b[2J\u202eflag"),
        ("check-predictions", "no\x1b[2J\u202efile"),
        ("sql", "SELECT no\x1b[2J\u202e"),
        ("runs", "rm", "--yes", "no\x1b[2J\u202erun"),
    ],
)
def test_errors_cannot_act_on_it_either(troop, words):
    shown = on_terminal(troop, *words)
    assert b"troop" in shown
    assert b"\x1b[2J" not in shown
    assert "\u202e".encode() not in shown


def test_a_patch_is_escaped_there_and_whole_in_a_file(troop):
    program = (
        "from runs.cli.shared.streams import open_streams, flush_output;"
        "from runs.cli.shared.terminal import write_patch;"
        r"open_streams(); write_patch('+\x1b[2J\u202e\udcff\n'); flush_output()"
    )
    shown = on_terminal(troop, program=("-c", program))
    assert shown == rb"+\x1b[2J\u202e\udcff" + b"\r\n"
    done = subprocess.run(
        [sys.executable, "-c", program], env=troop.environment, capture_output=True, check=True
    )
    assert done.stdout == b"+\x1b[2J" + "\u202e".encode() + b"\xff\n"


def test_a_console_keeps_its_own_colours(troop):
    program = (
        "from rich.text import Text;"
        "from runs.cli.shared.streams import open_streams, flush_output;"
        "from runs.cli.shared.terminal import progress, results;"
        "open_streams();"
        r"results().print(Text('a\x1b[2Jb', style='red'));"
        r"progress().print(Text('c\u202ed', style='red')); flush_output()"
    )
    shown = on_terminal(troop, program=("-c", program))
    assert shown.count(b"\x1b[31m") == 2
    assert rb"a\x1b[2Jb" in shown
    assert rb"c\u202ed" in shown


def test_ordinary_text_is_left_alone():
    assert (
        harmless("naïve ✔ ─ 日本\t\n\N{NO-BREAK SPACE}…") == "naïve ✔ ─ 日本\t\n\N{NO-BREAK SPACE}…"
    )
