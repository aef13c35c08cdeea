"""The edits of a reply, what they result in, and the two ways in which they fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

MALFORMED_LIMIT = 1_500
MISMATCH_LIMIT = 6_000


class MalformedEdits(Exception):
    """The reply breaks the format; the message tells the model where, and how to fix it."""

    def __init__(self, message: str) -> None:
        super().__init__(clip(message, MALFORMED_LIMIT))


class EditMismatch(Exception):
    """The edits do not fit the codebase. The message tells the model why, and what is there."""

    def __init__(self, message: str) -> None:
        super().__init__(clip(message, MISMATCH_LIMIT))


class Reading(NamedTuple):
    """One way to divide a block."""

    search: tuple[str, ...]
    replace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One SEARCH/REPLACE block, as it is written.

    A line of its text that looks like the divider (the underline of an rst
    heading) allows several readings; the file decides which one is meant.
    """

    lines: tuple[str, ...]
    """All lines between the SEARCH and the REPLACE marker."""
    splits: tuple[int, ...]
    """Where in `lines` the divider may be; at least one, ascending."""
    line: int = 0
    """Where the block begins in the reply, counted from 1."""

    @classmethod
    def of(cls, search: str, replace: str) -> Block:
        """The block with these two texts and no doubt about the divider."""
        before = search.removesuffix("\n").split("\n") if search else []
        after = replace.removesuffix("\n").split("\n") if replace else []
        return cls((*before, "=======", *after), (len(before),))

    def readings(self) -> Iterator[Reading]:
        """Every way to divide the block, the shortest search first."""
        for split in self.splits:
            yield Reading(self.lines[:split], self.lines[split + 1 :])


@dataclass(frozen=True, slots=True)
class Replace:
    """Change parts of a file."""

    path: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Create:
    """Add a file, or replace the whole of one."""

    path: str
    content: str
    """Empty, or ending in a newline."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a file."""

    path: str


FileEdit: TypeAlias = Replace | Create | Delete
"""What a reply asks for one path, which is kept as the reply writes it."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What the edits make of the codebase."""

    changes: dict[str, bytes | None]
    """Path -> the whole new content in the file's own encoding; None: deleted."""
    notes: tuple[str, ...] = field(default=())
    """One sentence for each thing that was not taken as it was written."""


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, without lone surrogates, which cannot be sent."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else f"{text[: limit - 4].rstrip()} ..."


def excerpt(line: str, width: int = 100) -> str:
    """The beginning of `line`, for a message."""
    line = line.strip()
    return line if len(line) <= width else f"{line[: width - 3]}..."
