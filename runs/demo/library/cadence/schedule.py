"""A schedule: a rule, its exceptions, and the questions one asks of it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby, islice, takewhile

from . import walk
from .describe import describe
from .errors import RuleError
from .rules import Rule


@dataclass(frozen=True, slots=True)
class Schedule:
    """The dates of *rule*, without those in *skip* and with those in *extra*.

    A date in both is skipped. Iterating gives the dates in order and may
    never end; see `take` and `between` for lists.
    """

    rule: Rule
    name: str = ""
    skip: frozenset[date] = field(default_factory=frozenset)
    extra: frozenset[date] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        object.__setattr__(self, "skip", frozenset(self.skip))
        object.__setattr__(self, "extra", frozenset(self.extra))

    def __iter__(self) -> Iterator[date]:
        return self._tidy(heapq.merge(walk.forward(self.rule), sorted(self.extra)))

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.next(day, inclusive=True) == day

    def take(self, number: int) -> list[date]:
        """Return the first *number* dates, or fewer if there are no more."""
        return list(islice(self, number))

    def after(self, day: date, inclusive: bool = False) -> Iterator[date]:
        """Yield the dates after *day* in order, *day* itself if *inclusive*."""
        extra = sorted(one for one in self.extra if one >= day)
        found = self._tidy(heapq.merge(walk.forward(self.rule, day), extra))
        return (one for one in found if inclusive or one > day)

    def before(self, day: date, inclusive: bool = False) -> Iterator[date]:
        """Yield the dates before *day*, latest first."""
        extra = sorted((one for one in self.extra if one <= day), reverse=True)
        dates = heapq.merge(walk.backward(self.rule, day), extra, reverse=True)
        return (one for one in self._tidy(dates) if inclusive or one < day)

    def between(self, first: date, last: date) -> list[date]:
        """Return the dates from *first* to *last*, both included, in order."""
        if last < first:
            raise RuleError(f"the window ends ({last}) before it begins ({first})")
        found = self.after(first, inclusive=True)
        return list(takewhile(lambda day: day <= last, found))

    def next(self, day: date, inclusive: bool = False) -> date | None:
        """Return the first date after *day*, or None."""
        return next(self.after(day, inclusive), None)

    def previous(self, day: date, inclusive: bool = False) -> date | None:
        """Return the last date before *day*, or None."""
        return next(self.before(day, inclusive), None)

    def skipping(self, *days: date) -> Schedule:
        """Return this schedule with *days* taken out."""
        return replace(self, skip=self.skip | set(days))

    def adding(self, *days: date) -> Schedule:
        """Return this schedule with *days* put in."""
        return replace(self, extra=self.extra | set(days))

    def describe(self) -> str:
        """Return the schedule in words."""
        words = describe(self.rule)
        if self.skip:
            words += f", except {_list(self.skip)}"
        if self.extra:
            words += f", also {_list(self.extra)}"
        return words

    def _tidy(self, days: Iterable[date]) -> Iterator[date]:
        """Drop skipped dates and repetitions from sorted *days*."""
        return (day for day, _ in groupby(days) if day not in self.skip)


def _list(days: frozenset[date]) -> str:
    return ", ".join(day.isoformat() for day in sorted(days))
