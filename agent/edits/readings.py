"""Decide which place and which reading of a block is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from agent.edits.matching import Found, Haystack, Outcome, Several, is_blank, locate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.edits.nouns import Block, Reading

_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Unclear:
    """More than one line of a block may be its divider, and the file does not decide."""

    divider: str
    """The line in question."""


Choice: TypeAlias = Outcome | Unclear


def choose(hay: Haystack, block: Block) -> Choice:
    """The place of `block` in the file under the reading that the file confirms.

    The search texts of all readings begin the same way, so where a longer one is
    found, the shorter ones are found too. The longest is meant: with a shorter
    one, the replacement would begin by repeating the lines that follow in the
    file. There is doubt if the longest adds nothing but a line that looks like
    the divider. There is also doubt if such a line follows in the file without
    the rest of a still longer reading, which may have been meant but has a
    mistake in it. There is no doubt if both halves hold the same number of such
    lines: then headings became headings.
    """
    found: list[tuple[int, Found]] = []
    several: Several | None = None
    for split, reading in zip(block.splits, block.readings(), strict=True):
        if is_blank(reading.search):
            continue
        outcome = locate(hay, *reading)
        if isinstance(outcome, Several):
            several = outcome
        elif outcome is not None:
            found.append((split, outcome))
    if not found:
        return several or _choose_unfenced(hay, block)
    split, best = found[-1]
    if 2 * block.splits.index(split) + 1 == len(block.splits):
        return best
    if len(found) > 1 and is_blank(block.lines[found[-2][0] + 1 : split]):
        return Unclear(block.lines[split])
    if split != block.splits[-1] and _follows(hay, best, block.lines[split]):
        return Unclear(block.lines[split])
    return best


def _follows(hay: Haystack, found: Found, divider: str) -> bool:
    stop = found.splice.stop
    return stop < len(hay.lines) and hay.lines[stop].strip() == divider.strip()


def _choose_unfenced(hay: Haystack, block: Block) -> Outcome:
    """Choose for a block whose halves stand in Markdown fences that the file lacks."""
    for search, replace in block.readings():
        unfenced = unfence(search)
        if unfenced and not is_blank(unfenced):
            outcome = locate(hay, unfenced, unfence(replace) or replace)
            if outcome is not None:
                return outcome
    return None


def unfence(lines: Sequence[str]) -> tuple[str, ...] | None:
    """`lines` without the Markdown fence around them; None if there is none."""
    filled = [at for at, line in enumerate(lines) if line.strip()]
    if len(filled) < 2:  # noqa: PLR2004 - a fence has two ends
        return None
    first, last = filled[0], filled[-1]
    fence = lines[first].strip()[:3]
    if fence in _FENCES and lines[last].strip() == fence:
        return tuple(lines[first + 1 : last])
    return None


def likeliest(block: Block) -> Reading:
    """The reading to report when none fits: the one whose halves differ least in length."""
    readings = [reading for reading in block.readings() if not is_blank(reading.search)]
    return min(readings, key=lambda one: abs(len(one.search) - len(one.replace)))
