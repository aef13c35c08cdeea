"""Ask the database a question in SQL. Nothing can be changed.

Examples:
  troop sql --views                                 what can be asked: the views and their columns
  troop sql "SELECT stage, calls, cost_usd FROM cost_by_stage WHERE run = 'first'"
  troop sql "SELECT test, candidate, verdict FROM votes WHERE instance_id LIKE 'django%'"
  troop sql "SELECT content(reply) FROM turns WHERE trajectory = 'selection' ORDER BY turn"
  troop sql "SELECT * FROM runs"
  troop sql --format csv "SELECT * FROM samples" > samples.csv

A long text (prompt, reply, script, diff, output) is stored by its digest: content(digest) shows it.
A table that is wider than the terminal, or than COLUMNS, is shown with a line for each value.
"""

from __future__ import annotations

import csv
import math
import sys
from typing import TYPE_CHECKING

from runs.cli.shared.flags import add_database
from runs.cli.shared.streams import write_json
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse

    from runs.store.query import Rows


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    parser.add_argument("query", nargs="?", metavar="SELECT", help="one SQL statement")
    parser.add_argument("--views", action="store_true", help="list the views and their columns")
    parser.add_argument(
        "--format",
        choices=("table", "csv", "json"),
        help="format: table for people, csv or json (JSON Lines) for programs (default: table)",
    )
    parser.add_argument(
        "--query-timeout",
        type=float,
        default=math.inf,
        metavar="S",
        help="time limit for the query, in seconds (default: none; Ctrl-C stops it)",
    )
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.cli.shared.terminal import results
    from runs.show.query import print_result, views_list

    if args.views or args.query is None:
        results().print(views_list())
        return 0 if args.views else 2
    from runs.store.query import ask, asked

    url = database_url(args.db)
    if args.format in {"csv", "json"}:
        write = _write_csv if args.format == "csv" else _write_json
        with asked(url, args.query, timeout_s=args.query_timeout) as result:
            write(result)
    else:
        print_result(ask(url, args.query, timeout_s=args.query_timeout), results())
    return 0


def _write_csv(result: Rows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.rows)


def _write_json(result: Rows) -> None:
    for row in result.rows:
        named = dict(zip(result.columns, row, strict=True))
        write_json(named, indent=None)
