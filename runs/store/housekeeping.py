"""Removes and renames runs, whole or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.errors import StoreError, UsageError
from runs.store.database import open_database, translated
from runs.store.dialect import lock
from runs.store.names import missing
from runs.store.ownership import holders
from runs.store.registry import check_name
from runs.store.removal import count_rows, delete_run, sweep_texts
from runs.store.tables import CallTable, ExecutionTable, InstanceTable, RunTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


@dataclass(frozen=True, slots=True)
class RemovedRun:
    """What was removed with a run."""

    name: str
    instances: int
    calls: int
    executions: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed."""

    runs: Sequence[RemovedRun]
    texts: int
    """How many texts that nothing refers to any more."""
    size: int
    """The size of those texts as stored, in bytes."""
    working: Sequence[str]
    """Runs that somebody works on. While there are any, no text is removed."""


def remove_runs(
    url: str,
    names: Sequence[str],
    *,
    dry_run: bool = False,
) -> Removed:
    """Remove runs and what belongs to them, in one transaction. Grades stay: they are of patches.

    Args:
        url: the database.
        names: the runs; none: only texts that an earlier removal left behind.
        dry_run: count only.

    Raises:
        UsageError: there is no such run.
        StoreError: another process works on one of them, or the database failed.
    """
    with _connected(url) as connection:
        lock(connection)
        rows = connection.execute(sa.select(RunTable)).all()
        by_name = {row.name: row for row in rows}
        found = [_named(by_name, name) for name in dict.fromkeys(names)]
        for row in found:
            _check_free(connection, row)
        removed = [_counted(connection, row) for row in found]
        for row in found:
            delete_run(connection, row.id)
        working = [row.name for row in rows if holders(connection, row.id)]
        texts, size = (0, 0) if working else sweep_texts(connection)
        if not dry_run:
            connection.commit()
    return Removed(removed, texts, size, working)


def rename_run(url: str, old: str, new: str) -> None:
    """Give a run another name.

    Raises:
        UsageError: there is no such run, or the new name is not allowed or taken.
        StoreError: another process works on it, or the database failed.
    """
    check_name(new)
    with _connected(url) as connection:
        lock(connection)
        by_name = {row.name: row for row in connection.execute(sa.select(RunTable)).all()}
        found = _named(by_name, old)
        if new in by_name:
            raise UsageError(f"There is a run {new} already.", hint="Give another name.")
        _check_free(connection, found)
        change = sa.update(RunTable).where(RunTable.id == found.id).values(name=new)
        connection.execute(change)
        connection.commit()


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    """A transaction that is rolled back unless it is committed."""
    with translated(url):
        engine = open_database(url, create=False)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


def _named(by_name: dict[str, Any], name: str) -> Any:
    if name not in by_name:
        raise missing(list(by_name), name, "run")
    return by_name[name]


def _check_free(connection: sa.Connection, row: Any) -> None:
    if there := holders(connection, row.id):
        raise StoreError(
            f"The run {row.name} is being worked on by another process: {there[0]}.",
            hint="Wait for it, or stop it.",
        )


def _counted(connection: sa.Connection, row: Any) -> RemovedRun:
    tables = (InstanceTable, CallTable, ExecutionTable)
    return RemovedRun(row.name, *(count_rows(connection, row.id, table) for table in tables))
