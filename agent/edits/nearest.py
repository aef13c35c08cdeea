"""Find what resembles a SEARCH text that is not in the file. Quick on any input."""

from __future__ import annotations

import re
from collections import Counter
from itertools import accumulate
from math import log
from typing import TYPE_CHECKING, NamedTuple

from agent.edits.lines import align

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_LONGEST_LINE = 400
"""How many characters of a line are compared."""
_MOST_LINES = 60_000
_WINDOWS = 5
_LIKE_ENOUGH = 0.3
_MARGIN = 3
_WIDENINGS = 20
"""How often each border may be moved outwards."""


class Region(NamedTuple):
    """Lines `start` to `stop` of a file, from 0, `stop` excluded."""

    start: int
    stop: int
    likeness: float
    """From 0 to 1."""


def nearest(lines: Sequence[str], search: Sequence[str]) -> Region | None:
    """The region of `lines` that is most like `search`, if anything is like it.

    A line weighs more if it shares rare words, or the whole line, with the
    search. The windows that weigh most are then compared as bags of lines and
    words.
    """
    lines = [line.strip()[:_LONGEST_LINE] for line in lines[:_MOST_LINES]]
    search = [line.strip()[:_LONGEST_LINE] for line in search]
    wanted = Counter(line for line in search if line)
    words = Counter(word for line in search for word in _WORD.findall(line))
    if not lines or not wanted:
        return None
    weights = _weights(lines, wanted, set(words))
    length = min(len(search), len(lines))
    best = Region(0, 0, 0.0)
    for start in _heaviest(weights, length):
        window = lines[start : start + length]
        likeness = _likeness(window, wanted, words)
        if likeness > best.likeness:
            best = Region(start, start + length, likeness)
    return _fitted(lines, search, best) if best.likeness >= _LIKE_ENOUGH else None


def _weights(lines: Sequence[str], wanted: Counter[str], words: set[str]) -> list[float]:
    """How much each line shares with the search, from 0 to 1."""
    found = [_WORD.findall(line) for line in lines]
    seen = Counter(word for line in found for word in line if word in words)
    rarity = {word: 1 / log(2 + count) for word, count in seen.items()}
    times = Counter(line for line in lines if line in wanted)
    weights = []
    for line, its_words in zip(lines, found, strict=True):
        if line in times:
            weights.append(1 / log(2 + times[line]))
        elif its_words:
            shared = sum(rarity.get(word, 0.0) for word in its_words)
            weights.append(0.8 * shared / len(its_words))
        else:
            weights.append(0.0)
    return weights


def _heaviest(weights: Sequence[float], length: int) -> list[int]:
    """Where the heaviest windows begin, far enough apart to be different ones."""
    sums = [0.0, *accumulate(weights)]
    starts = range(len(weights) - length + 1)
    heavy: list[int] = []
    apart = max(1, length // 2)
    for start in sorted(starts, key=lambda at: sums[at] - sums[at + length]):
        if all(abs(start - other) >= apart for other in heavy):
            heavy.append(start)
        if len(heavy) == _WINDOWS:
            break
    return heavy


def _likeness(window: Sequence[str], wanted: Counter[str], words: Counter[str]) -> float:
    """How many of their lines and words two texts share, from 0 to 1."""
    lines = Counter(line for line in window if line)
    theirs = Counter(word for line in window for word in _WORD.findall(line))
    by_lines, by_words = _share(lines, wanted), _share(theirs, words)
    return max(by_lines, by_words) if not words else 0.3 * by_lines + 0.7 * by_words


def _share(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


def _fitted(lines: Sequence[str], search: Sequence[str], region: Region) -> Region:
    """The region with its borders moved to where the search begins and ends.

    A match just outside moves a border, and there may be more beyond it.
    """
    for _ in range(_WIDENINGS):
        fitted = _fitted_once(lines, search, region)
        if fitted == region:
            break
        region = fitted
    return region


def _fitted_once(lines: Sequence[str], search: Sequence[str], region: Region) -> Region:
    low = max(0, region.start - _MARGIN)
    high = min(len(lines), region.stop + _MARGIN)
    same = [change for change in align(search, lines[low:high]) if change.kind == "equal"]
    if not same:
        return region
    start = low + same[0].new_start - same[0].old_start
    stop = low + same[-1].new_stop + len(search) - same[-1].old_stop
    return Region(max(low, start), min(high, stop), region.likeness)
