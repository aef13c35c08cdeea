"""Removes runs from the database, with the texts that nothing else refers to."""

from __future__ import annotations

import sqlalchemy as sa

from runs.store.dialect import lock_texts
from runs.store.tables import (
    DIGEST,
    Base,
    BlobTable,
    CallTable,
    ExecutionTable,
    InstanceTable,
    RunTable,
    SampleTable,
)


def untouched(connection: sa.Connection, which: sa.ColumnElement[bool]) -> bool:
    """Whether nothing was asked, executed or decided yet for the instances that `which` selects."""
    keys = sa.select(InstanceTable.id).where(which)
    decided = sa.select(InstanceTable.id).where(which & InstanceTable.samples.is_not(None))
    work = [
        sa.select(table.id).where(table.instance_id.in_(keys))
        for table in (CallTable, ExecutionTable, SampleTable)
    ]
    return not any(connection.execute(each.limit(1)).first() for each in (decided, *work))


def delete_run(connection: sa.Connection, key: int) -> None:
    """Delete a run with everything that refers to it. Texts and grades stay."""
    for table in reversed(Base.metadata.sorted_tables):
        rows = _of_run(table, key)
        if rows is not None:
            connection.execute(sa.delete(table).where(rows))


def count_rows(connection: sa.Connection, key: int, table: type[Base]) -> int:
    """How many rows of `table` belong to a run."""
    rows = _of_run(sa.Table(table.__tablename__, Base.metadata), key)
    assert rows is not None  # noqa: S101 - such a table hangs on no run
    counted = sa.select(sa.func.count()).select_from(table).where(rows)
    return connection.execute(counted).scalar_one()


def sweep_texts(connection: sa.Connection) -> tuple[int, int]:
    """Delete the texts that nothing refers to: how many, and their stored size in bytes.

    No process may be writing now, because it may rely on a text that it wrote before.
    """
    lock_texts(connection)
    referring = [
        sa.select(column)
        for table in Base.metadata.sorted_tables
        if table.name != BlobTable.__tablename__
        for column in table.columns
        if isinstance(column.type, sa.String) and column.type.length == DIGEST.length
    ]
    referred = sa.union_all(*referring).subquery()
    spare = sa.except_(sa.select(BlobTable.digest), sa.select(referred))
    gone = sa.delete(BlobTable).where(BlobTable.digest.in_(spare))
    sizes = connection.execute(gone.returning(sa.func.length(BlobTable.data))).scalars().all()
    return len(sizes), sum(sizes)


def _of_run(table: sa.Table, key: int) -> sa.ColumnElement[bool] | None:
    """The rows of `table` that belong to a run by foreign keys; None: there are no such keys."""
    if table.name == RunTable.__tablename__:
        return table.c.id == key
    for column in table.columns:
        for foreign in column.foreign_keys:
            above = _of_run(foreign.column.table, key)
            if above is not None:
                return column.in_(sa.select(foreign.column).where(above))
    return None
