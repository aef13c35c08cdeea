"""Recurring schedules: from rules to dates, and back to words.

>>> from datetime import date
>>> from cadence import Schedule, parse
>>> shifts = Schedule(parse("every 2 weeks on Mon and Thu", start=date(2024, 1, 1)))
>>> [day.isoformat() for day in shifts.take(3)]
['2024-01-01', '2024-01-04', '2024-01-15']
"""

from .calendars import Calendar, Entry, merge
from .describe import describe
from .errors import CadenceError, CodecError, ParseError, RuleError
from .holidays import HolidayCalendar, parse_holidays, read_holidays
from .parser import parse
from .rules import Frequency, Rule, daily, monthly, monthly_on, weekly, yearly
from .schedule import Schedule

__version__ = "0.4.1"

__all__ = [
    "CadenceError",
    "Calendar",
    "CodecError",
    "Entry",
    "Frequency",
    "HolidayCalendar",
    "ParseError",
    "Rule",
    "RuleError",
    "Schedule",
    "daily",
    "describe",
    "merge",
    "monthly",
    "monthly_on",
    "parse",
    "parse_holidays",
    "read_holidays",
    "weekly",
    "yearly",
]
