"""A person's own question to the database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, exc

from data.errors import UsageError
from runs.store.blobs import expand
from runs.store.database import open_reading, translated
from runs.store.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence


_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
    }
)
"""What a statement may do: ATTACH, say, would make files even on a read-only connection."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def ask(url: str, query: str) -> QueryResult:
    """Run one statement, read-only; in SQLite, content(digest) gives stored texts.

    Raises:
        UsageError: the statement is wrong, or wants to write.
        StoreError: the database cannot be read.
    """
    engine = open_reading(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _add_content)
    try:
        with translated(url), engine.connect() as connection:
            try:
                result = connection.exec_driver_sql(query)
                if not result.returns_rows:
                    raise UsageError("this statement returns nothing", hint="ask with SELECT")
                return QueryResult(tuple(result.keys()), [tuple(row) for row in result])
            except exc.DBAPIError as error:
                raise _explained(str(error.orig)) from error
    finally:
        engine.dispose()


def _explained(reason: str) -> UsageError:
    hint = ""
    if "no such table" in reason or "relation" in reason:
        hint = f"the views are {', '.join(view.name for view in VIEWS)}"
    elif "no such column" in reason:
        hint = "`troop sql --views` lists the columns"
    elif any(sign in reason for sign in ("readonly", "read-only", "not authorized")):
        hint = "`troop sql` only reads"
    return UsageError(f"SQL: {reason}", hint=hint)


def _add_content(connection: Any, _record: object) -> None:
    """content(digest) for SQLite, which reads on a connection of its own."""
    path = connection.execute("PRAGMA database_list").fetchone()[2]

    def content(digest: str | None) -> str | None:
        if digest is None:
            return None
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as own:
            row = own.execute("SELECT size, data FROM blob WHERE digest = ?", (digest,)).fetchone()
        own.close()
        return expand(row[1], row[0]) if row else None

    connection.create_function("content", 1, content, deterministic=True)
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
    )
