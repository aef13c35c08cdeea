"""Date arithmetic and names: everything that needs no rule.

Only whole days exist here. Functions that would leave the years 1 to 9999
raise ``OverflowError``, as ``datetime`` itself does.
"""

from __future__ import annotations

import calendar
from datetime import MAXYEAR, MINYEAR, date, timedelta

from .errors import ParseError

_LONG_WEEKDAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = tuple(name[:3] for name in _LONG_WEEKDAYS)
MONTHS = tuple(name[:3] for name in _LONG_MONTHS)


def days_in_month(year: int, month: int) -> int:
    """Return how many days the month has."""
    return calendar.monthrange(year, month)[1]


def month_day(year: int, month: int, day: int) -> date:
    """Return that day of the month, or the month's last day if it is shorter."""
    return date(year, month, min(day, days_in_month(year, month)))


def add_months(day: date, months: int) -> date:
    """Return the date *months* later (earlier if negative).

    The day of the month is kept where the month reached has it, and is the
    last day of that month otherwise.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError("date value out of range")
    return month_day(year, month + 1, day.day)


def add_years(day: date, years: int) -> date:
    """Return the date *years* later; 29 February may become 28 February."""
    return add_months(day, 12 * years)


def week_start(day: date) -> date:
    """Return the Monday of the week that *day* is in."""
    return date.fromordinal(max(1, day.toordinal() - day.weekday()))


def nth_weekday(year: int, month: int, weekday: int, ordinal: int) -> date:
    """Return the *ordinal*-th such weekday of the month; -1 is the last one."""
    if ordinal == -1:
        last = date(year, month, days_in_month(year, month))
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (ordinal - 1))


def parse_date(text: str) -> date:
    """Read a date written as ``YYYY-MM-DD``."""
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ParseError(text, "expected a date such as 2024-01-31") from None


def parse_weekday(text: str) -> int:
    """Read a weekday's name, short or long; Monday is 0."""
    return _index(text, _LONG_WEEKDAYS, "weekday")


def parse_month(text: str) -> int:
    """Read a month's name, short or long; January is 1."""
    return _index(text, _LONG_MONTHS, "month") + 1


def _index(text: str, names: tuple[str, ...], what: str) -> int:
    word = text.capitalize()
    for index, name in enumerate(names):
        if word in (name, name[:3]):
            return index
    raise ParseError(text, f"not the name of a {what}")
