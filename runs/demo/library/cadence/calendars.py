"""Several schedules at once: merged streams, agendas and clashes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby, repeat, takewhile

from .errors import RuleError
from .schedule import Schedule


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One day of an agenda, and the names of the schedules that meet on it."""

    day: date
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.day.isoformat()}  {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A named group of schedules, each with a name of its own."""

    name: str
    schedules: tuple[Schedule, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", tuple(self.schedules))
        names = [schedule.name for schedule in self.schedules]
        if "" in names:
            raise RuleError("a schedule in a calendar needs a name")
        if len(set(names)) != len(names):
            raise RuleError(f"calendar {self.name!r} has two schedules of one name")

    def entries(self, since: date) -> Iterator[Entry]:
        """Yield the calendar's days from *since* on; this may never end."""
        return merge(self.schedules, since)

    def agenda(self, first: date, last: date) -> list[Entry]:
        """Return the calendar's days in the window, both ends included."""
        if last < first:
            raise RuleError(f"the window ends ({last}) before it begins ({first})")
        return list(takewhile(lambda entry: entry.day <= last, self.entries(first)))

    def clashes(self, first: date, last: date, at_least: int = 2) -> list[Entry]:
        """Return the days in the window on which several schedules meet."""
        agenda = self.agenda(first, last)
        return [entry for entry in agenda if len(entry.names) >= at_least]


def merge(schedules: Iterable[Schedule], since: date) -> Iterator[Entry]:
    """Yield the days of all *schedules* from *since* on, one entry per day.

    The names in an entry stand in the order of the schedules.
    """
    schedules = list(schedules)
    streams = [
        zip(schedule.after(since, inclusive=True), repeat(position))
        for position, schedule in enumerate(schedules)
    ]
    for day, group in groupby(heapq.merge(*streams), key=lambda pair: pair[0]):
        yield Entry(day, tuple(schedules[position].name for _, position in group))
