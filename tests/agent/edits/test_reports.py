"""What the model reads when a SEARCH text is not there."""

from __future__ import annotations

import random

import pytest

from agent.edits import EditMismatch
from agent.edits.nearest import nearest
from agent.edits.nouns import MISMATCH_LIMIT
from agent.edits.reporting import BLOCK_LIMIT
from tests.agent.edits.replies import applied, edit, text

MODULE = [f"def function_{at}(value):\n    return value * {at}\n" for at in range(50)]
SOURCE = "\n".join(MODULE)


def told(search: str, replace: str = "x\n", before: str = SOURCE, **others: str) -> str:
    with pytest.raises(EditMismatch) as caught:
        applied(edit("f.py", (search, replace)), {"f.py": before, **others})
    return str(caught.value)


def test_closest_lines_and_what_differs() -> None:
    assert told("def function_7(value):\n    return values * 7\n") == text(
        "f.py, block 1 (line 2 of your reply): the SEARCH text is not in the file. The closest"
        " lines are 22-23 (- your SEARCH, + the file; the numbers are the file's):",
        "  22 | def function_7(value):",
        "-    |     return values * 7",
        "+ 23 |     return value * 7",
    ).rstrip("\n")


def test_lines_that_were_left_out() -> None:
    shown = told("def function_7(value):\ndef function_8(value):\n")
    assert "+ 23 |     return value * 7\n+ 24 |\n  25 | def function_8" in shown.replace(
        "| \n", "|\n"
    )


@pytest.mark.parametrize("left_out", range(1, 11))
def test_the_files_next_line_is_never_shown_as_absent(left_out: int) -> None:
    """However many lines a SEARCH leaves out, the lines that follow them are found."""
    lines = [f"line number {at} of {at % 7}" for at in range(60)]
    gap = 20 + left_out
    shown = told(text(*lines[12:20], *lines[gap : gap + 8]), before=text(*lines))
    assert "- " not in shown.partition("file's):")[2]
    assert f"The closest lines are 13-{gap + 8} " in shown


def test_long_equal_runs_are_cut() -> None:
    lines = [f"line number {at}" for at in range(300)]
    search = text(*lines[:100], "changed", *lines[101:200])
    shown = told(search, before=text(*lines))
    assert "The closest lines are 1-200" in shown
    assert "... (98 equal lines)" in shown
    assert "-     | changed\n+ 101 | line number 100\n" in shown


def test_only_whitespace_differs() -> None:
    shown = told("def function_7(value):\n   return value * 7\n")
    assert "Only the indentation differs." in shown


@pytest.mark.parametrize(
    ("file", "search", "named"),
    [
        ("x =\u00a01", "x = 1", ("Line 2", "NO-BREAK SPACE (U+00A0)", "has SPACE (U+0020)")),
        ("caf\u00e9 = 1", "cafe\u0301 = 1", ("ACUTE (U+00E9)", "COMBINING ACUTE ACCENT")),
        ("a\u200bb = 1", "ab = 1", ("ZERO WIDTH SPACE (U+200B)", "has nothing")),
        ("\uff41 = 1", "a = 1", ("FULLWIDTH LATIN SMALL LETTER A",)),
    ],
)
def test_a_character_that_looks_like_another_is_named(
    file: str, search: str, named: tuple[str, ...]
) -> None:
    shown = told(f"one\n{search}\n", before=f"one\n{file}\nthree\n")
    assert all(each in shown for each in named)
    assert "looks like yours" not in told("one\nx = 2\n", before="one\nx = 1\n")


def test_differences_far_along_a_line() -> None:
    line = "x = [" + ", ".join(map(str, range(500))) + "]"
    shown = told(line.replace("470", "47O") + "\n", before=f"a\n{line}\nb\n")
    assert "47O" in shown
    assert "470" in shown
    assert len(shown) < 800


def test_nothing_alike() -> None:
    assert "Nothing in its 149 lines is like it." in told("zzz\n")
    assert "Nothing in its 1 line is like it." in told("zzz\n", before="a\n")


def test_hints() -> None:
    search = "def other():\n    pass\n"
    where = {"lib/g.py": f"import os\n{search}".replace("\n", "\r\n"), "h.py": f"x{search}"}
    assert "stands exactly in lib/g.py: is that" in told(search, **where)
    assert "It is part of line 4; SEARCH" in told("function_1(value):\n")
    present = told("def function_3(values):\n", MODULE[3])
    assert "The REPLACE text is in the file already, at line 10." in present


def test_messages_are_bounded() -> None:
    lines = [f"some words of line {at} that are not short at all" for at in range(2000)]
    pairs = [
        (text(*[f"{line} x" for line in lines[at : at + 100]]), "y\n") for at in range(0, 1900, 100)
    ]
    with pytest.raises(EditMismatch) as caught:
        applied(edit("f.py", *pairs), {"f.py": text(*lines)})
    message = str(caught.value)
    assert len(message) <= MISMATCH_LIMIT
    assert "block 19" in message
    assert all(len(part) <= BLOCK_LIMIT for part in message.split("\n\n"))


def test_stops_at_many_problems() -> None:
    with pytest.raises(EditMismatch) as caught:
        applied(edit("f.py", *[(f"z{at}\n", "y\n") for at in range(500)]), {"f.py": SOURCE})
    assert len(str(caught.value)) <= MISMATCH_LIMIT


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_region_is_found(seed: int) -> None:
    """A few lines are changed, dropped or added; the region is found all the same."""
    rng = random.Random(seed)
    words = [f"word{at}" for at in range(300)]
    lines = [" ".join(rng.choices(words, k=rng.randint(1, 6))) for _ in range(3000)]
    start = rng.randrange(2900)
    search = lines[start : start + 30]
    for at in rng.sample(range(1, 29), 6):
        search[at] = rng.choice([search[at] + "x", f"new {search[at]}", "something else", ""])
    del search[rng.randrange(5, 25)]
    region = nearest(lines, search)
    assert region is not None
    assert (region.start, region.stop) == (start, start + 30)
