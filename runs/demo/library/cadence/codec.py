"""JSON in and out, for rules, schedules and calendars.

A stored calendar carries the number of its format, so that a newer file is
refused rather than misread. Files whose names end in ``.gz`` are compressed.
"""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

from .calendars import Calendar
from .dates import WEEKDAYS, parse_date, parse_weekday
from .errors import CadenceError, CodecError
from .rules import Frequency, Rule
from .schedule import Schedule

FORMAT = 1


def rule_to_dict(rule: Rule) -> dict[str, Any]:
    """Return the rule as JSON types, defaults left out."""
    data: dict[str, Any] = {
        "frequency": rule.frequency.value,
        "start": rule.start.isoformat(),
    }
    if rule.interval != 1:
        data["interval"] = rule.interval
    if rule.weekdays:
        data["weekdays"] = [WEEKDAYS[number] for number in rule.weekdays]
    if rule.ordinal is not None:
        data["ordinal"] = rule.ordinal
    if rule.count is not None:
        data["count"] = rule.count
    if rule.until is not None:
        data["until"] = rule.until.isoformat()
    return data


def rule_from_dict(data: dict[str, Any]) -> Rule:
    """Return the rule that `rule_to_dict` made *data* from."""
    until = data.get("until")
    return Rule(
        frequency=Frequency(data["frequency"]),
        start=parse_date(data["start"]),
        interval=data.get("interval", 1),
        weekdays=tuple(parse_weekday(name) for name in data.get("weekdays", ())),
        ordinal=data.get("ordinal"),
        count=data.get("count"),
        until=None if until is None else parse_date(until),
    )


def schedule_to_dict(schedule: Schedule) -> dict[str, Any]:
    """Return the schedule as JSON types."""
    data: dict[str, Any] = {
        "name": schedule.name,
        "rule": rule_to_dict(schedule.rule),
    }
    for key in ("skip", "extra"):
        if days := getattr(schedule, key):
            data[key] = [day.isoformat() for day in sorted(days)]
    return data


def schedule_from_dict(data: dict[str, Any]) -> Schedule:
    """Return the schedule that `schedule_to_dict` made *data* from."""
    return Schedule(
        rule=rule_from_dict(data["rule"]),
        name=data.get("name", ""),
        skip=_dates(data.get("skip", ())),
        extra=_dates(data.get("extra", ())),
    )


def dumps(calendar: Calendar) -> str:
    """Return the calendar as JSON text."""
    data = {
        "format": FORMAT,
        "name": calendar.name,
        "schedules": [schedule_to_dict(one) for one in calendar.schedules],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def loads(text: str) -> Calendar:
    """Return the calendar that the JSON text holds."""
    try:
        data = json.loads(text)
        if data["format"] > FORMAT:
            raise CodecError(f"format {data['format']} is newer than this cadence")
        schedules = tuple(schedule_from_dict(one) for one in data["schedules"])
        return Calendar(data["name"], schedules)
    except CadenceError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not a stored calendar: {error!r}") from error


def write(calendar: Calendar, path: str | Path) -> None:
    """Store the calendar in a file."""
    content = dumps(calendar).encode()
    if str(path).endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    Path(path).write_bytes(content)


def read(path: str | Path) -> Calendar:
    """Return the calendar stored in a file."""
    content = Path(path).read_bytes()
    try:
        if str(path).endswith(".gz"):
            content = gzip.decompress(content)
        return loads(content.decode())
    except (EOFError, OSError, UnicodeDecodeError) as error:
        raise CodecError(f"{path} is damaged: {error}") from error


def _dates(texts: list[str]) -> frozenset[date]:
    return frozenset(parse_date(text) for text in texts)
