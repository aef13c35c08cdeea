"""Reports on screens of several widths, and where there is no screen."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from runs.cli.shared.terminal import results
from runs.show.layout import Sheet, Verbatim, diff_text
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer

if TYPE_CHECKING:
    from pathlib import Path

NAME = "a-run-whose-name-is-as-long-as-names-of-models-are-0001"
WORDS = "several words that may stand below each other where there is no room beside it"
LINE = "+    " + "x" * 150 + "\t= [1, 2]   "


def sheet() -> Sheet:
    table = Sheet("run")
    table.column("why", fold=True)
    table.column("cost", justify="right")
    table.add_row(NAME, WORDS, "$1.2345")
    return table


def on_screen(width: int, *parts: object) -> str:
    """As a terminal of this width gets it."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    for part in parts:
        console.print(part, crop=False)
    return file.getvalue()


@pytest.mark.parametrize("width", [1, 20, 40, 80, 120, 500])
def test_names_and_figures_stay_whole_and_words_lose_nothing(width: int) -> None:
    shown = on_screen(width, sheet())
    assert NAME in shown
    assert "$1.2345" in shown
    assert "…" not in shown
    assert [word for word in WORDS.split() if word not in shown] == []


def test_a_table_is_no_wider_than_it_must_be() -> None:
    assert max(map(len, on_screen(1, sheet()).splitlines())) < len(NAME) + 40
    assert max(map(len, on_screen(100, sheet()).splitlines())) <= 100


@pytest.mark.parametrize("width", [1, 40, 80, 500])
@pytest.mark.parametrize("made", [Verbatim, diff_text])
def test_a_patch_is_shown_to_the_last_character(width: int, made: type[Verbatim]) -> None:
    text = f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n{LINE}\n \n"
    assert on_screen(width, made(text)) == text


def test_control_characters_are_shown() -> None:
    assert on_screen(80, Verbatim("a\x1b[2Jb\n\nc")) == "a\\x1b[2Jb\n\nc\n"
    assert on_screen(80, Verbatim("")) == ""


def test_where_there_is_no_terminal_nothing_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    table = sheet()
    table.add_row("b", WORDS * 9, "$1")
    results().print(table)
    results().print(f"{WORDS * 9} end")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert WORDS * 9 in lines[2]
    assert lines[3].endswith(" end")


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A run with a long name."""
    troop = Command(tmp_path_factory.mktemp("solved"))
    with ModelServer(scripted_model.answer) as server:
        repository = calc_repository(troop.folder)
        troop.finish(*solve_words(repository, server.base_url, "--name", NAME))
    return troop


def in_terminal(troop: Command, width: int, *words: str) -> str:
    """What `troop` writes to a terminal of this width, without colours."""
    ours, theirs = pty.openpty()
    environment = troop.environment | {"COLUMNS": str(width), "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "runs", *words], env=environment, stdout=theirs, cwd=troop.folder
    ) as process:
        os.close(theirs)
        read = bytearray()
        try:
            while part := os.read(ours, 65536):
                read += part
        except OSError:  # so a terminal says on Linux that nobody is left
            pass
        os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", read.decode()).replace("\r\n", "\n")


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 80])
def test_a_run_and_its_patch_are_whole_in_a_terminal(solved: Command, width: int) -> None:
    patch = solved.finish("show", NAME, "--patch")
    assert patch in in_terminal(solved, width, "show", NAME)
    assert NAME in in_terminal(solved, width, "show")
    with solved.reader() as reader:
        (instance,) = reader.instances(NAME)
    assert instance.instance_id in in_terminal(solved, width, "select", NAME)


@pytest.mark.slow
def test_a_conversation_is_whole_in_a_pipe_and_in_a_terminal(solved: Command) -> None:
    with solved.reader() as reader:
        talk = reader.story(reader.instance(NAME, None)).conversation("sample-1/testing")
    prompt, reply = talk.turns[0].prompt, talk.turns[0].reply
    for shown in (
        solved.finish("show", NAME, "--sample", "1"),
        in_terminal(solved, 40, "show", NAME, "--sample", "1"),
    ):
        assert prompt.rstrip("\n") in shown
        assert reply.rstrip("\n") in shown


@pytest.mark.slow
def test_data_names_datasets_whole(tmp_path: Path) -> None:
    shown = in_terminal(Command(tmp_path), 40, "data", "list")
    assert "SWE-bench/SWE-bench_Multimodal" in shown
