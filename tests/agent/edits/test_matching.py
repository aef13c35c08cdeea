"""Where blocks are found, and what then stands there."""

from __future__ import annotations

import pytest

from agent.edits import EditMismatch
from tests.agent.edits.replies import applied, edit, outcome, text

MODULE = text(
    "import os", "", "", "def f(a):", "    if a:", "        return 1", "    return 2", "", "",
    "def g():", "    return 2",
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "search", "replace", "after"),
    [
        ("a\nb\nc\n", "b\n", "x\n", "a\nx\nc\n"),
        ("a\nb\nc\n", "a\n", "x\n", "x\nb\nc\n"),
        ("a\nb\nc\n", "c\n", "x\n", "a\nb\nx\n"),
        ("a\nb\nc\n", "a\nb\nc\n", "", ""),
        ("a\nb\nc\n", "b\n", "", "a\nc\n"),
        ("a\nb\nc\n", "b\n", "b\n\nx\n", "a\nb\n\nx\nc\n"),
        ("ab\nb\nbc\n", "b\n", "x\n", "ab\nx\nbc\n"),
        ("a\n\nb\n\nc\n", "\nb\n\n", "\nx\n\n", "a\n\nx\n\nc\n"),
    ],
)
def test_exact(before: str, search: str, replace: str, after: str) -> None:
    assert outcome(before, (search, replace)) == after


@pytest.mark.parametrize(
    ("before", "search", "replace", "after"),
    [
        ("a\nb", "b\n", "x\n", "a\nx\n"),
        ("a\nb", "a\n", "x\n", "x\nb"),
        ("a\nb", "a\nb\n", "x\nb\n", "x\nb"),
        ("a\nb", "b\n", "b\nc\n", "a\nb\nc\n"),
        ("a\nb", "b\n", "b\nb\n", "a\nb\nb"),
        ("a\nb", "b\n", "", "a\n"),
        ("b", "b\n", "x\n", "x\n"),
        ("a\r\nb", "b\n", "b\nc\n", "a\r\nb\r\nc\r\n"),
    ],
)
def test_no_newline_at_the_end(before: str, search: str, replace: str, after: str) -> None:
    """It stays away unless the last line is another one."""
    assert outcome(before, (search, replace)) == after


@pytest.mark.parametrize(
    ("before", "search", "replace", "after"),
    [
        ("a\r\nb\r\nc\r\n", "b\n", "x\ny\n", "a\r\nx\r\ny\r\nc\r\n"),
        ("a\r\nb\nc\n", "a\nb\n", "a\nx\nb\n", "a\r\nx\r\nb\nc\n"),
        ("a\nb\r\nc\r\nd\n", "b\nc\n", "x\ny\nz\n", "a\nx\r\ny\r\nz\r\nd\n"),
        ("a\nb\r\nc\nd\r\n", "a\nb\nc\n", "a\nb\nx\nc\n", "a\nb\r\nx\r\nc\nd\r\n"),
        ("a\r\nb\n", "a\nb\n", "x\na\nb\n", "x\r\na\r\nb\n"),
        ("a\rb\rc", "b\n", "x\ny\n", "a\rx\ry\rc"),
        ("a\r\r\nb\n", "a\nb\n", "a\nc\n", "a\r\r\nc\n"),
    ],
)
def test_line_endings(before: str, search: str, replace: str, after: str) -> None:
    assert outcome(before, (search, replace)) == after


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_newlines_separate_lines(separator: str) -> None:
    before = f"a{separator}b\nc\n"
    assert outcome(before, (f"a{separator}b\n", f"x{separator}y\n")) == f"x{separator}y\nc\n"
    with pytest.raises(EditMismatch):
        outcome(before, ("b\n", "x\n"))


@pytest.mark.parametrize(
    ("before", "search", "replace", "after"),
    [
        ("a  \nb\nc\n", "a\nb\n", "a\nx\n", "a  \nx\nc\n"),
        ("a\nb\nc\n", "a \nb\t\n", "x\nb\n", "x\nb\nc\n"),
        ("a\n  \nb\n", "a\n\nb\n", "a\n\nx\n", "a\n  \nx\n"),
    ],
)
def test_trailing_whitespace(before: str, search: str, replace: str, after: str) -> None:
    """Lines that stay are the file's, to the byte."""
    assert outcome(before, (search, replace)) == after


@pytest.mark.parametrize(
    ("search", "replace", "after"),
    [
        ("\n\nb\n", "\n\nx\n", "a\n\nx\n\n\nc\n"),
        ("b\n\n\n\n", "x\n\n\n\n", "a\n\nx\n\n\nc\n"),
        ("\n\nb\n", "x\n", "a\nx\n\n\nc\n"),
        ("\n\nb\n", "\n\n\nx\n", "a\n\n\nx\n\n\nc\n"),
        ("\n\nb\n\n\n\n", "", "a\nc\n"),
        ("\n\nb\n", "\n\n\n", "a\n\n\n\n\nc\n"),
    ],
)
def test_blank_lines_at_the_ends(search: str, replace: str, after: str) -> None:
    assert outcome("a\n\nb\n\n\nc\n", (search, replace)) == after


@pytest.mark.parametrize(
    ("search", "replace", "after"),
    [
        ("if a:\n    return 1\n", "if b:\n    return 3\n", "    if b:\n        return 3\n"),
        ("      if a:\n          return 1\n", "      pass\n", "    pass\n"),
        ("if a:\n    return 1\n", "if a:\n\n    return 1\n", "    if a:\n\n        return 1\n"),
        ("if a:\n\treturn 1\n", "if a:\n\tif b:\n\t\tpass\n",
         "    if a:\n        if b:\n            pass\n"),
        ("\n\nif a:\n    return 1\n", "\n\nif b:\n", "    if b:\n"),
    ],
)  # fmt: skip
def test_shifted(search: str, replace: str, after: str) -> None:
    assert outcome(MODULE, (search, replace)) == MODULE.replace(
        "    if a:\n        return 1\n", after
    )


@pytest.mark.parametrize(
    ("before", "search", "replace", "after"),
    [
        ("\tif a:\n\t\tb()\n", "if a:\n    b()\n", "if a:\n    c()\n", "\tif a:\n\t\tc()\n"),
        ("\tif a:\n\t\tb()\n", "    if a:\n        b()\n", "    c()\n", "\tc()\n"),
        ("\tif a:\n\t\tb()\n", "if a:\n", "if a:\n    c()\n", "\tif a:\n\t\tc()\n\t\tb()\n"),
        ("\tif a:\n\t    b()\n", "if a:\n    b()\n", "if a:\n    c()\n", "\tif a:\n\t    c()\n"),
        ("        a\n", "\ta\n", "\tb\n\t\tc\n", "    " * 2 + "b\n" + "    " * 3 + "c\n"),
        ("    a\n", "\ta\n", "\tb\n\t\tc\n", "    b\n        c\n"),
    ],
)
def test_tabs_and_spaces(before: str, search: str, replace: str, after: str) -> None:
    assert outcome(before, (search, replace)) == after


def test_loose_places_are_noted() -> None:
    notes = applied(edit("f.py", ("if a:\n", "if b:\n")), {"f.py": MODULE}).notes
    (note,) = notes
    assert note == (
        "f.py, block 1 (line 2 of your reply), was found at line 5 with its indentation changed to"
        " the file's."
    )


@pytest.mark.parametrize(
    ("before", "search", "replace"),
    [
        ("  a\n    b\n", "a\n b\n", "x\n"),
        ("a\n  b\n", "  a\n    b\n", "  a\nx\n"),
        ("    a\n        b\n", "\t\ta\n\t\t\tb\n", "\t\tx\ny\n"),
        ("a b\n", "a\n", "x\n"),
        ("a\n", "a\na\n", "x\n"),
        ("A\n", "a\n", "x\n"),
    ],
)
def test_not_found(before: str, search: str, replace: str) -> None:
    with pytest.raises(EditMismatch, match="not in the file"):
        outcome(before, (search, replace))


@pytest.mark.parametrize(
    ("before", "search", "told"),
    [
        ("a\nb\na\n", "a\n", r"2 times: at lines 1 and 3\."),
        ("a\nb\na\n a\n", "a\n", r"2 times: at lines 1 and 3\."),
        ("a \nb\na\t\n", "a\n", r"2 times \(ignoring trailing whitespace\): at lines 1 and 3"),
        (" a\nb\n  a\n", "a\n", r"2 times \(with its indentation changed .*\): at lines 1 and 3"),
        ("a\n\nb\n\na\n", "\na\n\n\n\n", r"2 times \(ignoring blank lines .*\): at lines 1 and 5"),
        ("a\na\na\n", "a\na\n", r"at lines 1 and 2"),
        ("a\n" * 30, "a\n", r"more than 20 times: at lines 1, 2, .*, 20, \.\.\.\. Add lines"),
    ],
)
def test_several_places(before: str, search: str, told: str) -> None:
    with pytest.raises(EditMismatch, match=told):
        outcome(before, (search, "x\n"))


def test_blocks_in_any_order_apply_to_the_original() -> None:
    assert outcome("a\nb\nc\nd\n", ("c\n", "a\n"), ("a\n", "c\nc\n"), ("b\n", "")) == "c\nc\na\nd\n"


def test_edits_of_one_file_are_merged() -> None:
    reply = edit("f.py", ("a\n", "b\n")) + "and\n" + edit("./f.py", ("b\n", "a\n"))
    assert applied(reply, {"f.py": "a\nb\n"}).changes == {"f.py": b"b\na\n"}


def test_overlapping_blocks() -> None:
    with pytest.raises(EditMismatch) as caught:
        outcome("a\nb\nc\nd\n", ("b\nc\n", "x\n"), ("d\n", "y\n"), ("a\nb\n", "z\n"))
    assert str(caught.value) == (
        "f.py, block 1 (line 2 of your reply), takes lines 2-3, and f.py, block 3 (line 13 of your"
        " reply), takes lines 1-2: they overlap. Write them as one block, or leave out of one what"
        " is in the other."
    )


def test_one_block_twice() -> None:
    with pytest.raises(EditMismatch, match="overlap"):
        outcome("a\nb\n", ("b\n", "x\n"), ("b\n", "x\n"))


def test_blocks_within_one() -> None:
    with pytest.raises(EditMismatch) as caught:
        outcome("a\nb\nc\nd\n", ("a\nb\nc\nd\n", "x\n"), ("b\n", "y\n"), ("d\n", "z\n"))
    assert str(caught.value).count("block 1 (line 2 of your reply), takes lines 1-4") == 2
