"""Triggers that record in the database which worker held an instance at each write to it.

The record is made in the transaction that adds the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

WRITTEN = {
    "turn": "SELECT t.instance_id FROM trajectory t WHERE t.id = NEW.trajectory_id",
    "execution": "SELECT NEW.instance_id",
    "sample": "SELECT NEW.instance_id",
    "candidate": "SELECT NEW.instance_id",
}
"""The tables that only the holder of an instance adds to, and how a row leads to the instance."""

_SECONDS = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "extract(epoch FROM clock_timestamp())",
}
_TABLE = (
    "CREATE TABLE soak_audit (id {serial}, at DOUBLE PRECISION NOT NULL, what TEXT NOT NULL,"
    " instance INTEGER NOT NULL, was INTEGER, holder INTEGER, row_id INTEGER)"
)
_HELD = (
    "INSERT INTO soak_audit (at, what, instance, was, holder)"
    " VALUES ({seconds}, 'hold', NEW.id, OLD.worker_id, NEW.worker_id);"
)
_ADDED = (
    "INSERT INTO soak_audit (at, what, instance, holder, row_id)"
    " SELECT {seconds}, '{table}', i.id, i.worker_id, NEW.id FROM instance i WHERE i.id = ({of});"
)


@dataclass(frozen=True)
class Entry:
    """One thing that happened; entries are in the order in which they happened."""

    at: float
    what: str
    """"hold", or a table that a row was added to."""
    instance: int
    was: int | None
    holder: int | None
    row: int | None


def install(engine: sa.Engine) -> None:
    """Make the table and the triggers."""
    dialect = engine.dialect.name
    serial = "INTEGER PRIMARY KEY" if dialect == "sqlite" else "SERIAL PRIMARY KEY"
    seconds = _SECONDS[dialect]
    with engine.begin() as connection:
        connection.exec_driver_sql(_TABLE.format(serial=serial))
        changed = "UPDATE OF worker_id ON instance"
        _trigger(connection, "instance", changed, _HELD.format(seconds=seconds))
        for table, of in WRITTEN.items():
            added = _ADDED.format(seconds=seconds, table=table, of=of)
            _trigger(connection, table, f"INSERT ON {table}", added)


def _trigger(connection: sa.Connection, table: str, event: str, does: str) -> None:
    name = f"soak_{table}"
    differs = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}[connection.dialect.name]
    when = f"WHEN (OLD.worker_id {differs} NEW.worker_id)" if table == "instance" else ""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"CREATE TRIGGER {name} AFTER {event} {when} BEGIN {does} END")
        return
    connection.exec_driver_sql(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {does} RETURN NEW; END $$"
    )
    connection.exec_driver_sql(
        f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW {when} EXECUTE FUNCTION {name}()"
    )


def entries(connection: sa.Connection) -> list[Entry]:
    """What was recorded, in order."""
    rows = connection.exec_driver_sql(
        "SELECT at, what, instance, was, holder, row_id FROM soak_audit ORDER BY id"
    )
    return [Entry(*row) for row in rows]
