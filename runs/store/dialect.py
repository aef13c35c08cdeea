"""Statements that SQLite and PostgreSQL spell alike and SQLAlchemy's core does not offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from runs.store.tables import Base


def insert_missing(connection: Connection, table: type[Base], row: dict[str, Any]) -> None:
    """Insert `row` unless one with the same key is there."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(table).values(row).on_conflict_do_nothing())


def lock(connection: Connection, table: type[Base]) -> None:
    """Let nobody else write `table` until the transaction ends: what is read now stays so."""
    if connection.dialect.name == "postgresql":  # SQLite's transactions are so from the beginning
        connection.exec_driver_sql(f"LOCK TABLE {table.__tablename__} IN SHARE ROW EXCLUSIVE MODE")


def upsert(
    connection: Connection, table: type[Base], key: tuple[str, ...], row: dict[str, Any]
) -> None:
    """Insert `row`, or update the one that has the same `key` columns."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rest = {name: value for name, value in row.items() if name not in key}
    statement = make(table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest))
