"""The lines of a patch as the rules look at them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.patches.parts import HUNK, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.patches.parts import Section

_PIECE, _OVERLAP = 2000, 200
"""A longer line is looked at in pieces, so that the time only grows with its length."""
_SPACE = re.compile(r"(?<=\S)[ \t\f\v]{2,}")
_DEEPEST = 100
"""How much of a line's indentation is kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file after the patch, or a piece of a long one."""

    number: int
    text: str
    added: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that a patch makes or changes."""

    path: str
    is_new: bool
    """Whether there was no file of this name: it is added, or moved here."""
    lines: tuple[Line, ...]
    """Those after the patch that the diff shows, also around the edits; none of a binary file."""


def changed_files(diff: str) -> Iterator[Changed]:
    """The files that a diff makes or changes."""
    parts = parts_of(diff)
    for section in parts.sections:
        if section.value("deleted file mode ") is None:
            moved = section.value("rename to ") or section.value("copy to ")
            lines = tuple(_lines(section))
            yield Changed(section.path, section.created or bool(moved), lines)


def _lines(section: Section) -> Iterator[Line]:
    for hunk in section.hunks:
        start = hunk.start - section.start
        found = HUNK.match(section.lines[start])
        number = int(found[3]) - 1 if found else 0
        for line in section.lines[start + 1 : hunk.end - section.start]:
            if line[:1] in {"-", "\\"}:
                continue
            number += 1
            for piece in _pieces(_short(line[1:])):
                yield Line(number, piece, line[:1] == "+")


def _short(text: str) -> str:
    """A line without the spaces that only make it long."""
    bare = text.lstrip()
    return text[: min(len(text) - len(bare), _DEEPEST)] + _SPACE.sub(" ", bare.rstrip())


def _pieces(text: str) -> Iterator[str]:
    yield text[:_PIECE]
    step = _PIECE - _OVERLAP
    for start in range(step, len(text) - _OVERLAP, step):
        yield text[start : start + _PIECE]
