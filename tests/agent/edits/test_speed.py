"""No input is slow. The limits are many times what was measured, of this process's own time."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from agent.edits import EditMismatch, MalformedEdits, apply_edits, parse_edits
from tests.agent.edits.replies import codebase, create, edit, text
from tests.support.waiting import processor_time

if TYPE_CHECKING:
    from data.codebases.codebase import Codebase

pytestmark = pytest.mark.slow

MEGABYTE = 1_000_000
RNG = random.Random(1)
NAMES = [f"name_{at}" for at in range(2000)]
LINES = [
    "    " * RNG.randint(0, 4) + f"{RNG.choice(NAMES)} = self.{RNG.choice(NAMES)}({at % 7})"
    for at in range(10_000)
]
FILE = codebase({"f.py": text(*LINES)})
ONE_LINE = "x = [" + ", ".join(str(RNG.random()) for _ in range(10_500)) + "]"
SAME = codebase({"f.py": "x\n" * 20_000})


def applied(reply: str, code: Codebase = FILE, *, within: float = 30) -> None:
    with processor_time(within), suppress(MalformedEdits, EditMismatch):
        apply_edits(parse_edits(reply), code)


def test_an_exact_search_looks_for_nothing_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.edits.reporting.nearest", None)
    reply = edit("f.py", (text(*LINES[9000:9010]), "x\n"))
    assert apply_edits(parse_edits(reply), FILE).changes.keys() == {"f.py"}


def test_near_miss_in_ten_thousand_lines() -> None:
    search = text(*LINES[9000:9010]).replace("self", "slf", 1)
    applied(edit("f.py", (search, "x\n")), within=8)


@pytest.mark.parametrize(
    ("search", "before"),
    [
        (ONE_LINE.replace("5", "6", 1), ONE_LINE),
        ("a" * 199_999, "a" * 200_000),
        ("x\n" * 500 + "y\n" + "x\n" * 500, "x\n" * 20_000),
        ("x\n" * 19_999 + "y", "x\n" * 20_000),
        ("x\n" * 999 + " x", "x\n" * 20_000),
        ("a\nb\n" * 150 + "c\n" + "b\na\n" * 150, "a\nb\n" * 10_000),
        ("\n" * 1000 + "a", "\n" * 20_000),
        (text(*LINES) + "z", text(*LINES)),
        ("ab " * 333_333, text(*LINES)),
    ],
)
def test_hostile_files(search: str, before: str) -> None:
    applied(edit("f.py", (f"{search}\n", "x\n")), codebase({"f.py": before}))


def test_many_blocks() -> None:
    places = [(text(*LINES[at * 20 : at * 20 + 10]), "x\n") for at in range(500)]
    applied(edit("f.py", *places))
    applied(edit("f.py", *[(f"{line}q\n", "x\n") for line in LINES[:500]]))
    applied(edit("f.py", *[("x\n" + "=======\n" * 20, "x\n")] * 500), SAME)


@pytest.mark.parametrize(
    "fragment",
    [
        *["</edit>\n", "<<<<<<< SEARCH\n", "=======\n", '<edit path="a">\n', " ", "<", "\n"],
        *["<<<<<<<\n=======\n>>>>>>>\n", "<<<<<<<\n=======\n>>>>>>>> REPLACE\n", "<edit path ="],
        *["<<<<<<< SEARCH\n=======\n>>>>>>>> REPLACE\n<<<<<< SEARCH\n", '<delete path="a"/>\n'],
        *[
            '<create path="a">\n</create>\n',
            "  </edit>\n>>>>>>> REPLACE\n",
            '<edit path="',
            "<edit ",
        ],
    ],
)
def test_a_megabyte_of_tags(fragment: str) -> None:
    body = (fragment * (MEGABYTE // len(fragment) + 1))[:MEGABYTE]
    opened = f'<edit path="f.py">\n{body}\n</edit>\n'
    replies = [body, opened, edit("f.py", (f"{body}\n", "x\n")), create("n", f"{body}\n")]
    for reply in replies:
        applied(reply, within=60)
