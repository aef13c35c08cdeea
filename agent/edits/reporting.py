"""Messages for the model about a block that does not fit, bounded for any input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.edits.blocks import other_markers
from agent.edits.lines import align
from agent.edits.lookalikes import lookalikes
from agent.edits.matching import MOST_PLACES, Haystack, Several, is_blank, places
from agent.edits.nearest import nearest
from agent.edits.nouns import Block, clip
from agent.edits.readings import Unclear, likeliest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.edits.nearest import Region
    from data.codebases.codebase import Codebase

BLOCK_LIMIT = 2_000
_HINTS_LIMIT = 700
_WIDTH = 160
_CONTEXT = 2
_MOST_OPENED = 50
_MOST_NAMED = 3
_USUAL_WIDTH = 7


def report_several(several: Several, name: str) -> str:
    """The message about a search text that stands in more than one place."""
    shown = [str(start + 1) for start in several.starts[:MOST_PLACES]]
    more = len(several.starts) > MOST_PLACES
    listed = ", ".join(shown) if more else f"{', '.join(shown[:-1])} and {shown[-1]}"
    how = f" ({several.how})" if several.how else ""
    return (
        f"{name}: the SEARCH text occurs {'more than ' if more else ''}{len(shown)} times{how}:"
        f" at lines {listed}{', ...' if more else ''}. Add lines that stand before or after the"
        " one you mean, so that it occurs only once."
    )


def report_unclear(unclear: Unclear, name: str) -> str:
    """The message about a block that can be divided in more than one way."""
    return clip(
        f'{name}: it is not clear which line divides it: "{unclear.divider.strip()}" may be the'
        f" divider or a line of the file. Write the markers of this block in another length:"
        f" {other_markers(_USUAL_WIDTH)}.",
        BLOCK_LIMIT,
    )


def report_missing(hay: Haystack, block: Block, name: str, path: str, codebase: Codebase) -> str:
    """The message about a search text that is not in the file, with what is there instead."""
    search, replace = likeliest(block)
    hints = "".join(f"\n{hint}" for hint in _hints(hay, search, replace, path, codebase))
    hints = clip(hints, _HINTS_LIMIT)
    region = nearest(hay.lines, search)
    head = f"{name}: the SEARCH text is not in the file. "
    if region is None:
        count = len(hay.lines)
        return f"{head}Nothing in its {count:,} line{'s' * (count != 1)} is like it.{hints}"
    lines = [line.rstrip() for line in search]
    theirs = [line.rstrip() for line in hay.lines[region.start : region.stop]]
    if region.stop == region.start + 1:
        head += f"The closest line is {region.stop}"
    else:
        head += f"The closest lines are {region.start + 1}-{region.stop}"
    head += " (- your SEARCH, + the file; the numbers are the file's):\n"
    room = BLOCK_LIMIT - len(head) - len(hints) - 20
    only_whitespace = [line.strip() for line in lines] == [line.strip() for line in theirs]
    if only_whitespace and lines != theirs:
        hints = "\nOnly the indentation differs." + hints
        room -= 40
    named = clip("".join(f"\n{each}" for each in lookalikes(lines, theirs, region.start + 1)), 500)
    hints, room = named + hints, room - len(named)
    return head + _bounded(_rows(lines, theirs, region), room) + hints


def _hints(
    hay: Haystack, search: Sequence[str], replace: Sequence[str], path: str, codebase: Codebase
) -> Iterator[str]:
    others = _elsewhere(search, path, codebase)
    if others:
        named = " and ".join(others)
        yield f"The SEARCH text stands exactly in {named}: is that the file you mean?"
    text = "\n".join(search).strip()
    at = hay.exact.find(text)
    if at >= 0 and not is_blank(search) and len(search) == 1:
        line = hay.exact.count("\n", 0, at)
        yield f"It is part of line {line}; SEARCH takes whole lines."
    if not is_blank(replace):
        present = next(places(hay.trimmed, [line.rstrip() for line in replace]), None)
        if present is not None:
            yield f"The REPLACE text is in the file already, at line {present + 1}."


def _elsewhere(search: Sequence[str], path: str, codebase: Codebase) -> list[str]:
    """Other files that hold the search text exactly."""
    probe = max(search, key=len)
    named: list[str] = []
    opened = 0
    for other, file in codebase.files.items():
        if other == path or probe not in file.text:
            continue
        opened += 1
        if next(places(Haystack(file.text).exact, search), None) is not None:
            named.append(other)
        if opened == _MOST_OPENED or len(named) == _MOST_NAMED:
            break
    return named


def _rows(search: Sequence[str], theirs: Sequence[str], region: Region) -> Iterator[str]:
    """Both texts as a diff with the file's line numbers."""
    digits = len(str(region.stop))
    for change in align(search, theirs):
        ours_only = range(change.old_start, change.old_stop)
        file_only = range(change.new_start, change.new_stop)
        if change.kind == "equal":
            yield from _equal(theirs, file_only, region.start, digits, len(theirs))
            continue
        focus = {
            at: _alike(search[i], theirs[at]) for i, at in zip(ours_only, file_only, strict=False)
        }
        for i in ours_only:
            at = change.new_start + i - change.old_start
            yield f"- {'':{digits}} | {_around(search[i], focus.get(at, 0))}"
        for at in file_only:
            shown = _around(theirs[at], focus.get(at, 0))
            yield f"+ {region.start + at + 1:{digits}} | {shown}"


def _equal(
    lines: Sequence[str], which: range, first: int, digits: int, total: int
) -> Iterator[str]:
    """Lines that are the same; a long run is shortened."""
    head = _CONTEXT if which.start else 0
    tail = _CONTEXT if which.stop < total else 0
    left_out = len(which) - head - tail
    for k, at in enumerate(which):
        if left_out > 1 and head <= k < head + left_out:
            if k == head:
                yield f"  {'':{digits}} | ... ({left_out} equal lines)"
            continue
        yield f"  {first + at + 1:{digits}} | {_around(lines[at], 0)}"


def _alike(one: str, other: str) -> int:
    """How many characters two lines have in common at the start; only used for long lines."""
    if max(len(one), len(other)) <= _WIDTH:
        return 0
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _around(line: str, focus: int) -> str:
    """The part of a long line around its first differing character."""
    if len(line) <= _WIDTH:
        return line
    start = max(0, focus - _WIDTH // 2)
    cut = line[start : start + _WIDTH]
    return f"{'...' * (start > 0)}{cut}{'...' * (start + _WIDTH < len(line))}"


def _bounded(rows: Iterator[str], room: int) -> str:
    kept: list[str] = []
    for row in rows:
        room -= len(row) + 1
        if room < 0:
            kept.append("... (cut)")
            break
        kept.append(row)
    return "\n".join(kept)
