"""Statements that SQLite and PostgreSQL both have, but not SQLAlchemy's core."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from runs.store.tables import Base


def insert_missing(connection: Connection, table: type[Base], row: dict[str, Any]) -> None:
    """Insert `row` unless one with the same key is there."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(table).values(row).on_conflict_do_nothing())


def lock(connection: Connection) -> None:
    """Wait until no other transaction that called this is open: what is read next stays true."""
    if connection.dialect.name == "postgresql":  # SQLite always has one writer
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8466)")


def clock(connection: Connection) -> datetime:
    """The time in UTC, without a zone, by the one clock that all who share the database read."""
    if connection.dialect.name != "postgresql":  # who shares a SQLite file shares a machine
        return datetime.now(UTC).replace(tzinfo=None)
    told = connection.exec_driver_sql("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
    return cast(datetime, told.scalar_one())


def deadlocked(error: BaseException) -> bool:
    """Whether the database ended the transaction because it blocked another: try again."""
    cause = getattr(error.__cause__, "orig", None)
    return getattr(cause, "sqlstate", None) in {"40P01", "40001"}


def lock_texts(connection: Connection) -> None:
    """Wait until nobody writes texts, and let nobody write any until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE blob IN SHARE ROW EXCLUSIVE MODE")


def upsert(
    connection: Connection, table: type[Base], key: tuple[str, ...], row: dict[str, Any]
) -> None:
    """Insert `row`, or update the one that has the same `key` columns."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rest = {name: value for name, value in row.items() if name not in key}
    statement = make(table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest))
