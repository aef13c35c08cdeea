"""Blocks whose text holds lines that look like the divider, or stands in fences."""

from __future__ import annotations

import pytest

from agent.edits import Block, EditMismatch, Replace, apply_edits
from tests.agent.edits.replies import applied, codebase, edit, outcome

DOC = "Title\n=======\n\nText\n\nOther\n=======\n\nMore\n"


@pytest.mark.parametrize(
    ("search", "replace", "after"),
    [
        # A heading becomes a heading.
        ("Title\n=======\n", "Name\n=======\n", DOC.replace("Title", "Name")),
        ("Title\n=======\n\nText\n", "Title\n=======\n\nNew\n", DOC.replace("Text", "New")),
        # Only the new text has one.
        ("Text\n", "Text\n\nMid\n=======\n", DOC.replace("Text\n", "Text\n\nMid\n=======\n")),
        ("More\n", "=======\nMore\n", DOC.replace("More\n", "=======\nMore\n")),
        # Only the old text has one.
        ("Text\n\nOther\n=======\n\nMore\n", "Text\n", "Title\n=======\n\nText\n"),
        # The search is the whole file.
        (DOC, "x\n", "x\n"),
        (DOC, DOC + "x\n", DOC + "x\n"),
    ],
)
def test_the_file_decides(search: str, replace: str, after: str) -> None:
    assert outcome(DOC, (search, replace)) == after


@pytest.mark.parametrize(
    ("search", "replace"),
    [
        # Either an overline is added to the heading, or its underline is taken away.
        ("Title\n=======\n", "Title\n"),
        # The longer reading has a mistake; the shorter one must not be taken for it.
        ("Title\n=======\n\nTypo\n", "Title\n=======\n\nNew\n"),
        ("Title\n=======\n\nTypo\n", "New\n"),
    ],
)
def test_doubt_is_refused_and_wider_markers_mend_it(search: str, replace: str) -> None:
    with pytest.raises(EditMismatch, match=r"not clear.*<<<<<<<<< SEARCH, ========= and"):
        outcome(DOC, (search, replace))
    if "Typo" in search:
        with pytest.raises(EditMismatch, match="not in the file"):
            outcome(DOC, (search, replace), width=9)
    else:
        assert outcome(DOC, (search, replace), width=9) == DOC.replace(search, replace)


def test_no_reading_fits() -> None:
    with pytest.raises(EditMismatch, match="not in the file"):
        outcome(DOC, ("Nothing\n=======\n", "Else\n=======\n"))


def test_readings_in_several_places() -> None:
    with pytest.raises(EditMismatch, match=r"2 times: at lines 1 and 4"):
        outcome("A\n=======\nx\nA\n=======\ny\n", ("A\n=======\n", "B\n"))


def test_conflict_in_the_file() -> None:
    before = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\nd\n"
    search = "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\n"
    assert outcome(before, (search, "b\nc\n")) == "a\nb\nc\nd\n"


@pytest.mark.parametrize("fence", ["```", "```python", "~~~"])
def test_fences_inside_the_halves(fence: str) -> None:
    close = fence[:3]
    pair = (f"{fence}\nb\n{close}\n", f"{fence}\nx\ny\n{close}\n")
    assert outcome("a\nb\nc\n", pair) == "a\nx\ny\nc\n"
    assert outcome("a\nb\nc\n", (pair[0], "")) == "a\nc\n"
    assert outcome(f"a\n{pair[0]}c\n", pair) == f"a\n{pair[1]}c\n"


def test_new_file_with_a_heading() -> None:
    reply = edit("new.rst", ("", "Title\n=======\nText\n"))
    assert applied(reply, {"a": ""}).changes == {"new.rst": b"Title\n=======\nText\n"}


def test_block_of_two_texts() -> None:
    edits = [Replace("a", (Block.of("x\n=======\n", "x\n"), Block.of("y", "")))]
    changes = apply_edits(edits, codebase({"a": "x\n=======\ny\n"})).changes
    assert changes == {"a": b"x\n"}
