"""A person's own query of the database."""

from __future__ import annotations

import datetime
import math
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, exc

from data.errors import UsageError
from runs.store.blobs import expand
from runs.store.database import LARGEST_VALUE, STEPS, first_line, open_reading, translated
from runs.store.tables import sql_text
from runs.store.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import sqlalchemy as sa


_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
    }
)
"""What a statement may do. ATTACH, for example, creates files even on a read-only connection."""
LARGEST_RESULT = 256 << 20
"""Characters and bytes of a result that is held in memory."""
_AT_ONCE = 100
"""Rows that PostgreSQL sends at a time."""
_A_VALUE = 16
"""What a value counts in addition to its length."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query, the same from both databases: truth values are 1 and 0, times text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a query as they come, once."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


def ask(
    url: str, query: str, *, timeout_s: float = math.inf, largest: int = LARGEST_RESULT
) -> QueryResult:
    """Run one SELECT and hold its rows in memory; arguments and errors as in `asked`.

    Raises:
        UsageError: also if the result is larger than `largest`.
    """
    with asked(url, query, timeout_s=timeout_s) as found:
        held, rows = 0, []
        for row in found.rows:
            held += sum(_size(value) for value in row)
            if held > largest:
                raise UsageError(
                    f"The result is larger than {largest >> 20} MB.",
                    hint="Ask for less, or use --format csv or json, which hold no rows.",
                )
            rows.append(row)
        return QueryResult(found.columns, rows)


@contextmanager
def asked(url: str, query: str, *, timeout_s: float = math.inf) -> Iterator[Rows]:
    """Run one SELECT; content(digest) gives stored texts. Rows can be read while inside.

    Args:
        url: the database's.
        query: one statement.
        timeout_s: seconds after which the query is stopped.

    Raises:
        UsageError: the statement is wrong, wants to write, or takes too long.
        StoreError: the database cannot be read.
        KeyboardInterrupt: SQLite was interrupted.
    """
    engine = open_reading(url)
    until = time.monotonic() + timeout_s
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _add_content)
        event.listen(engine, "connect", lambda connection, _: _stop_at(connection, until))
    try:
        with translated(url), engine.connect() as connection:
            try:
                with closing(_executed(connection, query, timeout_s)) as result:
                    yield Rows(tuple(result.keys()), _rows(result, timeout_s))
            except exc.DBAPIError as error:
                reason = first_line(error.orig)
                if reason == "interrupted" and time.monotonic() < until:
                    raise KeyboardInterrupt from error
                raise _explained(query, reason, timeout_s) from error
    finally:
        engine.dispose()


def _executed(connection: sa.Connection, query: str, timeout_s: float) -> sa.CursorResult[Any]:
    if connection.dialect.name == "postgresql" and timeout_s < math.inf:
        limit = max(1, round(timeout_s * 1000))
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit}")
    # PostgreSQL gets a cursor, which takes one SELECT and no other statement. COPY, for example,
    # writes files even in a read-only transaction.
    options = {"stream_results": True, "no_parameters": True, "max_row_buffer": _AT_ONCE}
    result = connection.exec_driver_sql(query, execution_options=options)
    if not result.returns_rows:
        raise UsageError("This statement returns nothing.", hint="Use SELECT.")
    return result


def _rows(result: sa.CursorResult[Any], timeout_s: float) -> Iterator[Sequence[Any]]:
    """The rows. PostgreSQL's own time limit is for each portion of them."""
    until = time.monotonic() + timeout_s
    for row in result:
        if time.monotonic() > until:
            raise _explained("", "interrupted", timeout_s)
        yield tuple(map(_alike, row))


def _size(value: object) -> int:
    return _A_VALUE + (len(value) if isinstance(value, str | bytes) else 0)


def _alike(value: Any) -> Any:
    """A value from PostgreSQL as SQLite gives it."""
    match value:
        case bool():
            return int(value)
        case datetime.datetime():
            return value.isoformat(" ", "microseconds")
        case Decimal():
            return int(value) if value.as_tuple().exponent == 0 else float(value)
        case memoryview():
            return bytes(value)
    return value


_WRITING = ("readonly", "read-only", "not authorized", "multiple commands", "DECLARE CURSOR")
_FIRST = ("select", "with", "values", "table", "(", "--", "/*")
"""What a query begins with."""


def _explained(query: str, reason: str, timeout_s: float) -> UsageError:
    hint = ""
    if "no such table" in reason or "relation" in reason:
        hint = f"The views are {', '.join(view.name for view in VIEWS)}."
    elif "no such column" in reason or ("column" in reason and "does not exist" in reason):
        hint = "List the columns: troop sql --views"
    elif "boolean = integer" in reason:
        hint = "Write WHERE chosen instead of WHERE chosen = 1; SQLite and PostgreSQL take both."
    elif reason == "interrupted" or "statement timeout" in reason:
        reason = f"the query took longer than {timeout_s:g} s"
        hint = "Ask for less, or give a longer --query-timeout."
    elif "too big" in reason or "pattern too complex" in reason:
        hint = f"SQLite may make values of up to {LARGEST_VALUE >> 20} MB."
    elif any(sign in reason for sign in _WRITING) or not query.lower().lstrip().startswith(_FIRST):
        hint = "`troop sql` only reads: give one SELECT."
    return UsageError(f"SQL: {reason}", hint=hint)


def _add_content(connection: Any, _record: object) -> None:
    """Add content(digest) to SQLite. It reads on a connection of its own."""
    path = connection.execute("PRAGMA database_list").fetchone()[2]

    def content(digest: str | None) -> str | None:
        if digest is None:
            return None
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as own:
            row = own.execute("SELECT size, data FROM blob WHERE digest = ?", (digest,)).fetchone()
        own.close()
        return sql_text(expand(row[1], row[0])) if row else None

    connection.create_function("content", 1, content, deterministic=True)
    for table in ("json_each", "json_tree"):  # created at first use, which is writing
        connection.execute(f"SELECT * FROM {table}('[]')").close()  # noqa: S608 - ours
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
    )


def _stop_at(connection: Any, until: float) -> None:
    """Stop a statement at its time-out, and let Ctrl-C interrupt it."""
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
