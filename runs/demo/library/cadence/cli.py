"""The command line: ``cadence list "monthly on day 15" --from 2024-01-01``.

Answers go to standard output, one per line. Exit status 2 means that the
request was not understood, 1 that there was nothing to show.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import islice

from . import codec
from .dates import parse_date
from .errors import CadenceError
from .holidays import HolidayCalendar, read_holidays
from .parser import parse
from .schedule import Schedule


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="cadence", description="Recurring dates.")
    commands = parser.add_subparsers(dest="command", required=True)

    listing = commands.add_parser("list", help="show the dates of a rule")
    listing.add_argument("rule", help="rule text, such as 'every 2 weeks on Mon'")
    listing.add_argument("--from", dest="start", type=_date, help="the rule's start")
    listing.add_argument("--after", type=_date, help="show only dates after this one")
    listing.add_argument("-n", "--number", type=int, default=10, help="how many")
    listing.add_argument("--roll", default="none", help="business-day convention")
    listing.add_argument("--holidays", metavar="FILE", help="a holiday file")
    listing.add_argument("--encoding", default="utf-8", help="of the holiday file")
    listing.set_defaults(run=_list)

    describing = commands.add_parser("describe", help="show a stored calendar's rules")
    describing.add_argument("file", help="a calendar in JSON, perhaps with .gz")
    describing.set_defaults(run=_describe)

    agenda = commands.add_parser("agenda", help="show a stored calendar's days")
    agenda.add_argument("file", help="a calendar in JSON, perhaps with .gz")
    agenda.add_argument("--from", dest="first", type=_date, required=True)
    agenda.add_argument("--days", type=int, default=14, help="length of the window")
    agenda.set_defaults(run=_agenda)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = build_parser().parse_args(argv)
    try:
        lines = list(options.run(options))
    except (CadenceError, OSError) as error:
        print(f"cadence: {error}", file=sys.stderr)
        return 2
    for line in lines:
        print(line)
    return 0 if lines else 1


def _list(options: argparse.Namespace) -> Iterable[str]:
    schedule = Schedule(parse(options.rule, start=options.start))
    found = schedule if options.after is None else schedule.after(options.after)
    if options.holidays is None:
        calendar = HolidayCalendar()
    else:
        calendar = read_holidays(options.holidays, options.encoding)
    days = islice(found, max(0, options.number))
    return (day.isoformat() for day in calendar.adjust(days, options.roll))


def _describe(options: argparse.Namespace) -> Iterable[str]:
    calendar = codec.read(options.file)
    return (f"{one.name}: {one.describe()}" for one in calendar.schedules)


def _agenda(options: argparse.Namespace) -> Iterable[str]:
    last = options.first + timedelta(days=options.days - 1)
    return map(str, codec.read(options.file).agenda(options.first, last))


def _date(text: str) -> date:
    """Read a date for argparse, which wants its own kind of error."""
    try:
        return parse_date(text)
    except CadenceError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
