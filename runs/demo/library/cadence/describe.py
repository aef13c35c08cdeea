"""From rule to text. What comes out can be read back by ``parser``."""

from __future__ import annotations

from .dates import MONTHS, WEEKDAYS
from .rules import Frequency, Rule

_ORDINALS = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", -1: "last"}


def describe(rule: Rule, with_start: bool = False) -> str:
    """Return the rule in words, with its start only if asked for."""
    parts = [_head(rule)]
    clause = _on(rule)
    if clause:
        parts.append(f"on {clause}")
    if with_start:
        parts.append(f"from {rule.start.isoformat()}")
    if rule.until is not None:
        parts.append(f"until {rule.until.isoformat()}")
    if rule.count is not None:
        parts.append(f"for {rule.count} {'time' if rule.count == 1 else 'times'}")
    return " ".join(parts)


def _head(rule: Rule) -> str:
    if rule.interval == 1:
        return rule.frequency.value
    return f"every {rule.interval} {rule.frequency.noun}s"


def _on(rule: Rule) -> str:
    """Return what the rule falls on, or nothing for a daily rule."""
    if rule.ordinal is not None:
        return f"the {_ORDINALS[rule.ordinal]} {WEEKDAYS[rule.weekdays[0]]}"
    match rule.frequency:
        case Frequency.WEEKLY:
            return _join([WEEKDAYS[one] for one in _weekdays(rule)])
        case Frequency.MONTHLY:
            return f"day {rule.start.day}"
        case Frequency.YEARLY:
            return f"{rule.start.day} {MONTHS[rule.start.month - 1]}"
    return ""


def _weekdays(rule: Rule) -> tuple[int, ...]:
    return rule.weekdays or (rule.start.weekday(),)


def _join(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
