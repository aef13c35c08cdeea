"""Holidays and business days.

A holiday file has one holiday per line, ``25 Dec = Christmas Day`` for one
that comes every year or ``2024-05-09 = Ascension`` for one that moves. Empty
lines and lines that begin with ``#`` are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from .dates import days_in_month, parse_date, parse_month
from .errors import ParseError, RuleError

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """Which days are worked.

    *fixed* holds the holidays of every year by (month, day), *dated* those of
    one year only, *weekend* the weekdays that are never worked.
    """

    fixed: Mapping[tuple[int, int], str] = field(default_factory=dict)
    dated: Mapping[date, str] = field(default_factory=dict)
    weekend: frozenset[int] = frozenset({5, 6})

    def __post_init__(self) -> None:
        if len(self.weekend) > 6:
            raise RuleError("some weekday has to be worked")

    def name_of(self, day: date) -> str | None:
        """Return the name of the holiday on *day*, or None."""
        return self.dated.get(day) or self.fixed.get((day.month, day.day))

    def is_business_day(self, day: date) -> bool:
        """Whether *day* is neither a holiday nor in the weekend."""
        return day.weekday() not in self.weekend and self.name_of(day) is None

    def roll(self, day: date, convention: str = "following") -> date:
        """Return *day*, or a business day near it.

        The convention is ``following``, ``preceding``, ``modified`` (following,
        unless that is in the next month: then preceding) or ``none``.
        """
        match convention:
            case "none":
                return day
            case "following":
                return self._seek(day, _DAY)
            case "preceding":
                return self._seek(day, -_DAY)
            case "modified":
                later = self._seek(day, _DAY)
                return later if later.month == day.month else self._seek(day, -_DAY)
        raise RuleError(f"there is no business-day convention {convention!r}")

    def adjust(self, days: Iterable[date], convention: str = "following") -> list[date]:
        """Roll every day; days that land on the same date become one."""
        return sorted({self.roll(day, convention) for day in days})

    def add_business_days(self, day: date, number: int) -> date:
        """Return the business day *number* business days from *day*."""
        direction = _DAY if number >= 0 else -_DAY
        for _ in range(abs(number)):
            day = self._seek(day + direction, direction)
        return day

    def _seek(self, day: date, direction: timedelta) -> date:
        while not self.is_business_day(day):
            day += direction
        return day


def parse_holidays(text: str) -> HolidayCalendar:
    """Read a holiday file's text."""
    fixed: dict[tuple[int, int], str] = {}
    dated: dict[date, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        when, equals, name = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise ParseError(line, "expected 'DAY MONTH = NAME' or 'DATE = NAME'")
        day, _, month = when.partition(" ")
        if month:
            fixed[_month_and_day(line, day, month)] = name
        else:
            dated[parse_date(when)] = name
    return HolidayCalendar(fixed, dated)


def _month_and_day(line: str, day: str, month: str) -> tuple[int, int]:
    number = parse_month(month)
    if not day.isdigit() or not 1 <= int(day) <= days_in_month(2000, number):
        raise ParseError(line, f"that month has no day {day}")
    return number, int(day)


def read_holidays(path: str | Path, encoding: str = "utf-8") -> HolidayCalendar:
    """Read a holiday file; many public ones are in ``latin-1``."""
    return parse_holidays(Path(path).read_text(encoding))
