"""Whatever the files and the edits: what was meant comes out, and nothing but the two refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.edits import (
    Block,
    Create,
    Delete,
    EditMismatch,
    FileEdit,
    MalformedEdits,
    Replace,
    apply_edits,
    parse_edits,
)
from agent.edits.lines import Splice, align, join_lines, split_lines
from agent.edits.nouns import MISMATCH_LIMIT
from agent.edits.reporting import BLOCK_LIMIT
from data.codebases.codebase import SourceFile
from tests.agent.edits.replies import codebase
from tests.agent.edits.worlds import LINES, World, changed, check_changed, worlds

if TYPE_CHECKING:
    from agent.edits import Edited

ODD_LINES = LINES | st.sampled_from(
    ["<<<<<<< SEARCH", ">>>>>>> REPLACE", '<edit path="a">', '<create path="b">', "\r", "a\r"]
)
ODD_TEXT = st.lists(ODD_LINES, max_size=8).map("\n".join) | st.text(max_size=20)


@settings(max_examples=400)
@given(worlds())
def test_a_reply_does_what_it_says(world: World) -> None:
    changes = changed(world)
    assert set(changes) <= {*world.changes, *world.created, *world.deleted}
    for path, content in world.created.items():
        assert changes[path] == content.encode()
    for path in world.deleted:
        assert changes[path] is None
    for path, wanted in world.changes.items():
        file = world.files[path]
        content_or_none = changes.get(path, file.text.encode())
        assert content_or_none is not None
        check_changed(file, wanted, content_or_none.decode())


@settings(max_examples=300)
@given(st.lists(ODD_LINES, max_size=40).map("\n".join), ODD_TEXT)
@example("<edit path='a'>\n<<<<<<< SEARCH\na\n=======\n\ud800\n>>>>>>> REPLACE\n</edit>", "a")
def test_any_reply_is_applied_or_refused(reply: str, text: str) -> None:
    code = codebase({"a": text, "src/b": SourceFile("src/b", "é\n", "iso8859-1")}, {"c": "binary"})
    try:
        changes = apply_edits(parse_edits(reply), code).changes
    except (MalformedEdits, EditMismatch):
        return
    assert all(content is None or isinstance(content, bytes) for content in changes.values())


def some_edits() -> st.SearchStrategy[list[FileEdit]]:
    paths = st.sampled_from(["a", "src/b", "/testbed/a", "new", "c", "src", ""]) | st.text(
        max_size=9
    )
    blocks = st.builds(Block.of, ODD_TEXT, ODD_TEXT)
    replaced = st.builds(Replace, paths, st.lists(blocks, min_size=1, max_size=4).map(tuple))
    created = st.builds(Create, paths, ODD_TEXT)
    return st.lists(replaced | created | st.builds(Delete, paths), max_size=4)


@settings(max_examples=300)
@given(some_edits(), ODD_TEXT)
def test_any_edits_are_applied_or_refused(edits: list[FileEdit], text: str) -> None:
    code = codebase({"a": text, "src/b": SourceFile("src/b", "é\n", "iso8859-1")}, {"c": "binary"})
    edited: Edited | None = None
    message = "none"
    try:
        edited = apply_edits(edits, code)
    except EditMismatch as refused:
        message = str(refused)
    assert 0 < len(message) <= MISMATCH_LIMIT
    message.encode()
    assert edited is None or edited.changes


@given(st.lists(LINES, max_size=8), st.lists(LINES, max_size=8))
def test_a_missing_text_is_told_in_bounds(lines: list[str], search: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines) + "end\n"
    absent = "".join(f"{line}\n" for line in search) + "absent\n"
    with pytest.raises(EditMismatch, match="not in the file") as caught:
        apply_edits([Replace("a", (Block.of(absent, "x\n"),))], codebase({"a": text}))
    assert len(str(caught.value)) <= BLOCK_LIMIT


@given(ODD_TEXT)
def test_lines_are_the_text(text: str) -> None:
    file = split_lines(text)
    assert join_lines(file, []) == text
    assert len(file.lines) == len(file.ends)
    assert all(file.ends[:-1])


@given(st.lists(LINES, max_size=30), st.lists(LINES, max_size=30))
def test_alignment_is_a_way_from_one_to_the_other(old: list[str], new: list[str]) -> None:
    at_old = at_new = 0
    for change in align(old, new):
        assert (change.old_start, change.new_start) == (at_old, at_new)
        at_old, at_new = change.old_stop, change.new_stop
        if change.kind == "equal":
            assert old[change.old_start : at_old] == new[change.new_start : at_new]
    assert (at_old, at_new) == (len(old), len(new))


@given(st.lists(LINES, min_size=1, max_size=9), st.data())
def test_a_splice_leaves_the_rest(lines: list[str], data: st.DataObject) -> None:
    ends = data.draw(
        st.lists(st.sampled_from(["\n", "\r\n"]), min_size=len(lines), max_size=len(lines))
    )
    file = split_lines("".join(line + end for line, end in zip(lines, ends, strict=True)))
    start = data.draw(st.integers(0, len(lines) - 1))
    stop = data.draw(st.integers(start + 1, len(lines)))
    for exact in (True, False):
        same = join_lines(file, [Splice(start, stop, file.lines[start:stop], exact=exact)])
        assert same == join_lines(file, [])
