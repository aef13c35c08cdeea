"""From text to rule: ``every 2 weeks on Mon and Thu for 10 times``.

The grammar is in ``docs/rule-text.md``. Text is read from left to right by
one small function per clause; what is left over at the end is an error.
"""

from __future__ import annotations

import re
from datetime import date

from .dates import days_in_month, parse_date, parse_month, parse_weekday
from .errors import ParseError, RuleError
from .rules import Frequency, Rule

_UNITS = {frequency.noun: frequency for frequency in Frequency}
_ADVERBS = {frequency.value: frequency for frequency in Frequency}
_ADVERBS["annually"] = Frequency.YEARLY
_ORDINALS = {
    "1st": 1, "first": 1, "2nd": 2, "second": 2, "3rd": 3, "third": 3,
    "4th": 4, "fourth": 4, "last": -1,
}  # fmt: skip
_WORKING_WEEK = (0, 1, 2, 3, 4)


class _Words:
    """The words of a rule text, eaten from the left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = re.findall(r"[^\s,]+", text.lower())

    def peek(self) -> str:
        return self._words[0] if self._words else ""

    def take(self, expected: str = "") -> str:
        if not self._words:
            raise self.error(f"it ends where {expected or 'more'} was expected")
        return self._words.pop(0)

    def accept(self, *options: str) -> bool:
        """Eat the next word if it is one of *options*."""
        if self.peek() not in options:
            return False
        self._words.pop(0)
        return True

    def number(self, expected: str) -> int:
        word = self.take(expected)
        if not (word.isascii() and word.isdigit()):
            raise self.error(f"{word!r} is not {expected}")
        return int(word)

    def error(self, reason: str) -> ParseError:
        return ParseError(self.text, reason)


def parse(text: str, start: date | None = None) -> Rule:
    """Read a rule from text.

    The rule is anchored on *start*, or on the date after ``from`` in the
    text, or else on today. Where the text names a day of the month or of the
    year, the anchor moves on to the first such day.
    """
    words = _Words(text)
    frequency, interval, weekdays = _read_head(words)
    ordinal = None
    day_of_month = None
    day_of_year = None
    if words.accept("on"):
        match frequency:
            case Frequency.WEEKLY if not weekdays:
                weekdays = _read_weekdays(words)
            case Frequency.MONTHLY if words.accept("the"):
                ordinal, weekdays = _read_ordinal(words)
            case Frequency.MONTHLY:
                day_of_month = _read_day_of_month(words)
            case Frequency.YEARLY:
                day_of_year = _read_day_of_year(words)
            case _:
                raise words.error("'on' does not go with what comes before it")
    if words.accept("from", "starting"):
        start = parse_date(words.take("a date"))
    count, until = _read_end(words)
    if words.peek():
        raise words.error(f"did not expect {words.peek()!r}")

    anchor = start or date.today()
    if day_of_month is not None:
        anchor = _first_in_month(anchor, day_of_month)
    if day_of_year is not None:
        anchor = _first_in_year(anchor, *day_of_year)
    try:
        return Rule(frequency, anchor, interval, weekdays, ordinal, count, until)
    except RuleError as error:
        raise words.error(str(error)) from error


def _read_head(words: _Words) -> tuple[Frequency, int, tuple[int, ...]]:
    """Read ``daily``, ``every week``, ``every 3 months`` or ``every Fri``."""
    word = words.take("a rule")
    if word in _ADVERBS:
        return _ADVERBS[word], 1, ()
    if word != "every":
        raise words.error("a rule begins with 'every' or a word such as 'monthly'")
    if words.accept("other"):
        interval = 2
    elif words.peek().isdigit():
        interval = words.number("an interval")
    else:
        interval = 1
    unit = words.peek()
    if unit == "weekday":
        words.take()
        return Frequency.WEEKLY, interval, _WORKING_WEEK
    if unit.removesuffix("s") in _UNITS:
        words.take()
        return _UNITS[unit.removesuffix("s")], interval, ()
    return Frequency.WEEKLY, interval, _read_weekdays(words)


def _read_weekdays(words: _Words) -> tuple[int, ...]:
    found = [parse_weekday(words.take("a weekday"))]
    while words.peek() not in ("", "from", "starting", "until", "for"):
        words.accept("and")
        found.append(parse_weekday(words.take("a weekday")))
    return tuple(found)


def _read_ordinal(words: _Words) -> tuple[int, tuple[int, ...]]:
    word = words.take("an ordinal")
    if word not in _ORDINALS:
        raise words.error(f"{word!r} is not one of {', '.join(_ORDINALS)}")
    return _ORDINALS[word], (parse_weekday(words.take("a weekday")),)


def _read_day_of_month(words: _Words) -> int:
    if not words.accept("day"):
        raise words.error("expected 'on day N' or 'on the 2nd Tue'")
    day = words.number("a day of the month")
    if not 1 <= day <= 31:
        raise words.error(f"no month has a day {day}")
    return day


def _read_day_of_year(words: _Words) -> tuple[int, int]:
    day = words.number("a day of the month")
    month = parse_month(words.take("a month"))
    if not 1 <= day <= days_in_month(2000, month):
        raise words.error(f"that month never has a day {day}")
    return month, day


def _read_end(words: _Words) -> tuple[int | None, date | None]:
    if words.accept("until"):
        return None, parse_date(words.take("a date"))
    if words.accept("for"):
        count = words.number("a number of times")
        if not words.accept("times", "time"):
            raise words.error("expected 'times' at the end")
        return count, None
    return None, None


def _first_in_month(start: date, day: int) -> date:
    """Return the first date from *start* on that is a *day*-th."""
    year, month = start.year, start.month
    while day > days_in_month(year, month) or date(year, month, day) < start:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return date(year, month, day)


def _first_in_year(start: date, month: int, day: int) -> date:
    """Return the first date from *start* on that has this month and day."""
    year = start.year
    while day > days_in_month(year, month) or date(year, month, day) < start:
        year += 1
    return date(year, month, day)
