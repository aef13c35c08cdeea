"""Find a SEARCH text in a file: exactly or ignoring whitespace, and always by whole lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agent.edits.indenting import indent_of, shift_between
from agent.edits.lines import FileLines, Splice, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.edits.indenting import Shift

MOST_PLACES = 20
"""How many places of a text are listed; after that, the message only says there are more."""
_MOST_COMPARED = 200_000
"""How many lines have their indentation compared before a text counts as not found."""


class Haystack:
    """One file, prepared for searching."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.file: FileLines = split_lines(text)

    @property
    def lines(self) -> list[str]:
        """The lines without their endings."""
        return self.file.lines

    @cached_property
    def exact(self) -> str:
        """The lines as they are."""
        return _joined(self.lines)

    @cached_property
    def trimmed(self) -> str:
        """The lines without trailing whitespace."""
        return _joined([line.rstrip() for line in self.lines])

    @cached_property
    def bare(self) -> str:
        """The lines without whitespace at either end."""
        return _joined([line.strip() for line in self.lines])


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(("", *lines, ""))


def places(view: str, lines: Sequence[str]) -> Iterator[int]:
    """The indices of the lines in a view of a haystack at which `lines` begin."""
    needle = _joined(lines)
    at, counted, line = view.find(needle), 0, 0
    while at >= 0:
        line += view.count("\n", counted, at)
        counted = at
        yield line
        at = view.find(needle, at + 1)


@dataclass(frozen=True, slots=True)
class Found:
    """The one place of a search text, and the lines that replace it."""

    splice: Splice
    how: str = ""
    """How the file was read to find it; "" if it matched exactly."""


@dataclass(frozen=True, slots=True)
class Several:
    """A search text that stands in more than one place."""

    starts: tuple[int, ...]
    """Line indices, at most `MOST_PLACES` + 1."""
    length: int
    how: str = ""


Outcome: TypeAlias = Found | Several | None


class _Part(NamedTuple):
    """Lines without the blank lines at both ends, and how many of those there were."""

    before: int
    core: list[str]
    after: int


def is_blank(lines: Sequence[str]) -> bool:
    """Whether there is nothing but whitespace."""
    return not any(line.strip() for line in lines)


def locate(hay: Haystack, search: Sequence[str], replace: Sequence[str]) -> Outcome:
    """Find `search`, which is not blank, in the strictest way that finds anything."""
    length = len(search)
    outcome = _only(
        places(hay.exact, search), length, lambda at: Splice(at, at + length, replace), ""
    )
    if outcome is None:
        trimmed = [line.rstrip() for line in search]
        outcome = _only(
            places(hay.trimmed, trimmed),
            length,
            lambda at: Splice(at, at + length, replace, exact=False),
            "ignoring trailing whitespace",
        )
    return outcome or _within_blanks(hay, search, replace) or _shifted(hay, search, replace)


def _only(starts: Iterator[int], length: int, splice: Callable[[int], Splice], how: str) -> Outcome:
    found = [start for start, _ in zip(starts, range(MOST_PLACES + 1), strict=False)]
    if len(found) > 1:
        return Several(tuple(found), length, how)
    return Found(splice(found[0]), how) if found else None


def _within_blanks(hay: Haystack, search: Sequence[str], replace: Sequence[str]) -> Outcome:
    """Find it, ignoring blank lines at both ends."""
    part = _split_blanks(search)
    if not part.before and not part.after:
        return None
    core = [line.rstrip() for line in part.core]
    return _only(
        places(hay.trimmed, core),
        len(core),
        lambda at: _with_blanks(hay, at, part, replace),
        "ignoring blank lines around it",
    )


def _shifted(hay: Haystack, search: Sequence[str], replace: Sequence[str]) -> Outcome:
    """Find it, indented by a constant amount more or less, or with other whitespace."""
    part = _split_blanks(search)
    core = part.core
    indents = [(at, indent_of(line)) for at, line in enumerate(core) if line.strip()]
    found: list[tuple[int, list[str]]] = []
    compared = 0
    for start in places(hay.bare, [line.strip() for line in core]):
        compared += len(indents)
        if compared > _MOST_COMPARED or len(found) > MOST_PLACES:
            break
        pairs = [(indent, indent_of(hay.lines[start + at])) for at, indent in indents]
        shifted = _reindented(replace, shift_between(pairs))
        if shifted is not None:
            found.append((start, shifted))
    how = "with its indentation changed to the file's"
    if len(found) > 1:
        return Several(tuple(start for start, _ in found), len(core), how)
    return Found(_with_blanks(hay, found[0][0], part, found[0][1]), how) if found else None


def _reindented(lines: Sequence[str], shift: Shift | None) -> list[str] | None:
    if shift is None:
        return None
    shifted = [shift(line) if line.strip() else "" for line in lines]
    known = [line for line in shifted if line is not None]
    return known if len(known) == len(shifted) else None


def _split_blanks(lines: Sequence[str]) -> _Part:
    """`lines`, which may be all blank, without the blank ones at the ends."""
    filled = [at for at, line in enumerate(lines) if line.strip()]
    if not filled:
        return _Part(len(lines), [], 0)
    first, last = filled[0], filled[-1]
    return _Part(first, list(lines[first : last + 1]), len(lines) - 1 - last)


def _with_blanks(hay: Haystack, at: int, search: _Part, replace: Sequence[str]) -> Splice:
    """The splice at `at`, where the core of `search` stands.

    Blank lines that both the search and the file have belong to the place. Those
    that the file lacks are left out of the replacement too.
    """
    stop = at + len(search.core)
    before = _blanks(hay.lines, at - 1, -1, search.before)
    after = _blanks(hay.lines, stop, 1, search.after)
    new = _split_blanks(replace)
    if new.core:
        above = max(0, new.before - (search.before - before))
        below = max(0, new.after - (search.after - after))
        lines = [*[""] * above, *new.core, *[""] * below]
    else:
        lacking = search.before - before + search.after - after
        lines = [""] * max(0, new.before - lacking)
    return Splice(at - before, stop + after, lines, exact=False)


def _blanks(lines: Sequence[str], at: int, step: int, most: int) -> int:
    """How many lines from `at` on are blank, up to `most`."""
    count = 0
    while count < most and 0 <= at < len(lines) and not lines[at].strip():
        at += step
        count += 1
    return count
