"""What a rule is. How its dates are found is the business of ``walk``."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime

from .dates import parse_weekday
from .errors import RuleError

ORDINALS = (1, 2, 3, 4, -1)


class Frequency(enum.Enum):
    """The unit that a rule counts in."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"

    @property
    def noun(self) -> str:
        """The unit in words: ``day`` for ``DAILY``."""
        return "day" if self is Frequency.DAILY else self.value.removesuffix("ly")


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence, anchored on its start.

    A daily, monthly or yearly rule has one date in every period of
    *interval* units, counted from *start*. A monthly rule falls on the
    start's day of the month, or on the last day of a month that is too short
    to have it; a yearly rule does the same with 29 February.

    *weekdays* (Monday is 0) spreads a weekly rule over several days of its
    weeks. With *ordinal* (1 to 4, or -1 for the last) a monthly rule falls on
    the n-th such weekday instead of on a day of the month.

    A rule ends after *count* dates or after the date *until*, if given.
    """

    frequency: Frequency
    start: date
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    ordinal: int | None = None
    count: int | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if isinstance(self.start, datetime) or not isinstance(self.start, date):
            raise RuleError("a rule starts on a date without a time of day")
        if self.interval < 1:
            raise RuleError("the interval must be 1 or more")
        if self.count is not None and self.count < 1:
            raise RuleError("the count must be 1 or more")
        if self.count is not None and self.until is not None:
            raise RuleError("a rule ends by count or by date, not by both")
        if any(not 0 <= weekday <= 6 for weekday in self.weekdays):
            raise RuleError("weekdays are numbered from 0 (Monday) to 6")
        object.__setattr__(self, "weekdays", tuple(sorted(set(self.weekdays))))
        self._check_shape()

    def _check_shape(self) -> None:
        if self.ordinal is not None:
            if self.frequency is not Frequency.MONTHLY or len(self.weekdays) != 1:
                raise RuleError("an ordinal needs a monthly rule and one weekday")
            if self.ordinal not in ORDINALS:
                raise RuleError("the ordinal must be 1 to 4, or -1 for the last")
        elif self.weekdays and self.frequency is not Frequency.WEEKLY:
            raise RuleError("only weekly rules take weekdays without an ordinal")

    @property
    def is_finite(self) -> bool:
        """Whether the rule ends by itself."""
        return self.count is not None or self.until is not None


def daily(start: date, **options) -> Rule:
    """Return a daily rule; *options* are those of `Rule`."""
    return Rule(Frequency.DAILY, start, **options)


def weekly(start: date, *weekdays: str, **options) -> Rule:
    """Return a weekly rule on the named weekdays, or on the start's own."""
    numbers = tuple(parse_weekday(name) for name in weekdays)
    return Rule(Frequency.WEEKLY, start, weekdays=numbers, **options)


def monthly(start: date, **options) -> Rule:
    """Return a monthly rule on the start's day of the month."""
    return Rule(Frequency.MONTHLY, start, **options)


def monthly_on(start: date, ordinal: int, weekday: str, **options) -> Rule:
    """Return a monthly rule on the n-th such weekday of the month."""
    days = (parse_weekday(weekday),)
    return Rule(Frequency.MONTHLY, start, weekdays=days, ordinal=ordinal, **options)


def yearly(start: date, **options) -> Rule:
    """Return a yearly rule on the start's day and month."""
    return Rule(Frequency.YEARLY, start, **options)
