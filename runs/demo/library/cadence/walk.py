"""Walking along a rule: from period to period, and from periods to dates.

A *period* is one turn of a rule: a day, week, month or year. It is stood for
by its *base*, a date inside it. The base of the first period is the rule's
start. Each period is expanded into its dates: often the base itself, but the
chosen weekdays for a weekly rule, and the n-th weekday for some monthly ones.

Endless rules are the normal case, so everything here is lazy.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import takewhile

from . import dates
from .rules import Frequency, Rule


def step(base: date, frequency: Frequency, units: int) -> date:
    """Return the base that lies *units* days, weeks, months or years on."""
    match frequency:
        case Frequency.DAILY:
            return base + timedelta(days=units)
        case Frequency.WEEKLY:
            return base + timedelta(weeks=units)
        case Frequency.MONTHLY:
            return dates.add_months(base, units)
        case Frequency.YEARLY:
            return dates.add_years(base, units)


def units_between(first: date, last: date, frequency: Frequency) -> int:
    """Return how many units after that of *first* the unit of *last* comes.

    Units are those of the calendar: 31 January and 1 February are one month
    apart, a Sunday and the next Monday are one week apart.
    """
    match frequency:
        case Frequency.DAILY:
            return (last - first).days
        case Frequency.WEEKLY:
            return (dates.week_start(last) - dates.week_start(first)).days // 7
        case Frequency.MONTHLY:
            return (last.year - first.year) * 12 + last.month - first.month
        case Frequency.YEARLY:
            return last.year - first.year


def periods(first: date, frequency: Frequency, interval: int) -> Iterator[date]:
    """Yield *first* and then the bases that follow it, *interval* units apart.

    A negative interval walks backwards. The walk ends where the calendar does.
    """
    base = first
    while True:
        yield base
        try:
            base = step(base, frequency, interval)
        except OverflowError:
            return


def seek(rule: Rule, day: date) -> date:
    """Return the base of the last period that begins by the end of *day*'s unit.

    For a day before the rule's start, that is the first period's.
    """
    units = max(0, units_between(rule.start, day, rule.frequency))
    return step(rule.start, rule.frequency, units - units % rule.interval)


def expand(base: date, weekdays: tuple[int, ...], ordinal: int | None) -> list[date]:
    """Return the dates, in order, of the period that *base* stands for."""
    if ordinal is not None:
        return [dates.nth_weekday(base.year, base.month, weekdays[0], ordinal)]
    if weekdays:
        monday = base.toordinal() - base.weekday()
        days = [monday + weekday for weekday in weekdays]
        limits = range(date.min.toordinal(), date.max.toordinal() + 1)
        return [date.fromordinal(day) for day in days if day in limits]
    return [base]


def forward(rule: Rule, since: date | None = None) -> Iterator[date]:
    """Yield the rule's dates in order, those before *since* left out."""
    first = rule.start
    # A count is spent from the start on: a counted rule cannot be joined midway.
    if since is not None and rule.count is None:
        first = seek(rule, since)
    produced = 0
    for base in periods(first, rule.frequency, rule.interval):
        for day in expand(base, rule.weekdays, rule.ordinal):
            if day < rule.start:
                continue
            if rule.until is not None and day > rule.until:
                return
            if since is None or day >= since:
                yield day
            produced += 1
            if produced == rule.count:
                return


def backward(rule: Rule, latest: date) -> Iterator[date]:
    """Yield the rule's dates in reverse, from *latest* down to the start."""
    if rule.count is not None:
        known = takewhile(lambda day: day <= latest, forward(rule))
        yield from reversed(list(known))
        return
    if rule.until is not None:
        latest = min(latest, rule.until)
    for base in periods(seek(rule, latest), rule.frequency, -rule.interval):
        for day in reversed(expand(base, rule.weekdays, rule.ordinal)):
            if day < rule.start:
                return
            if day <= latest:
                yield day
