"""Lines that look the same but differ: a no-break space, another form of a letter."""

from __future__ import annotations

import unicodedata
from itertools import takewhile
from typing import TYPE_CHECKING

from agent.edits.lines import align

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_NAMED = 3


def lookalikes(search: Sequence[str], theirs: Sequence[str], first: int) -> Iterator[str]:
    """Describe lines of a file that look like a SEARCH but differ; `first`: their line number."""
    for change in align(search, theirs):
        pairs = zip(
            search[change.old_start : change.old_stop],
            enumerate(theirs[change.new_start : change.new_stop], first + change.new_start),
            strict=False,
        )
        for ours, (number, line) in pairs:
            if ours != line and _seen(ours) == _seen(line):
                mine, its = _apart(ours, line)
                yield (
                    f"Line {number} looks like yours, but has {_named(its)} where your SEARCH has"
                    f" {_named(mine)}: copy the file's."
                )


def _seen(line: str) -> str:
    """What a reader sees of a line."""
    visible = "".join(c for c in line if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", visible)


def _apart(one: str, other: str) -> tuple[str, str]:
    """The differing parts of two lines, without their common beginning and end."""
    head = _alike(one, other)
    one, other = one[head:], other[head:]
    tail = _alike(one[::-1], other[::-1])
    return one[: len(one) - tail], other[: len(other) - tail]


def _alike(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _named(part: str) -> str:
    named = [f"{unicodedata.name(c, 'a character')} (U+{ord(c):04X})" for c in part[:_MOST_NAMED]]
    return " and ".join(named) + (" ..." if len(part) > _MOST_NAMED else "") if part else "nothing"
