"""How the indentation of a reply turns into that of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Shift: TypeAlias = Callable[[str], str | None]
    """A line of the reply as the file would indent it; None if it is not indented far enough."""

_TAB_WIDTHS = (4, 8, 2)


def indent_of(line: str) -> str:
    """The spaces and tabs that `line` begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def shift_between(pairs: Sequence[tuple[str, str]]) -> Shift | None:
    """The one shift that turns the first indentation of every pair into the second.

    It adds or removes a constant prefix, or a constant number of columns with
    tabs in place of spaces, or spaces in place of tabs.
    """
    ours, theirs = pairs[0]
    if theirs.endswith(ours):
        more = theirs[: len(theirs) - len(ours)]
        if all(file == more + reply for reply, file in pairs):
            tabs = "\t" in more and not any(" " in reply for reply, _ in pairs)
            return lambda line: more + (_with_tabs(line, _TAB_WIDTHS[0]) if tabs else line)
    elif ours.endswith(theirs):
        less = ours[: len(ours) - len(theirs)]
        if all(reply == less + file for reply, file in pairs):
            return lambda line: line[len(less) :] if line.startswith(less) else None
    return _shift_in_columns(pairs)


def _shift_in_columns(pairs: Sequence[tuple[str, str]]) -> Shift | None:
    tabs = any("\t" in file for _, file in pairs)
    for width in _TAB_WIDTHS:
        offsets = {_columns(file, width) - _columns(reply, width) for reply, file in pairs}
        if len(offsets) == 1:
            return _shift_by(offsets.pop(), width, tabs=tabs)
    return None


def _shift_by(offset: int, width: int, *, tabs: bool) -> Shift:
    def shift(line: str) -> str | None:
        indent = indent_of(line)
        columns = _columns(indent, width) + offset
        if columns < 0:
            return None
        spaced = " " * columns + line[len(indent) :]
        return _with_tabs(spaced, width) if tabs else spaced

    return shift


def _with_tabs(line: str, width: int) -> str:
    """`line` with tabs for its leading spaces."""
    indent = indent_of(line)
    columns = _columns(indent, width)
    return "\t" * (columns // width) + " " * (columns % width) + line[len(indent) :]


def _columns(indent: str, width: int) -> int:
    return len(indent.expandtabs(width))
