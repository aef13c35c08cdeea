"""Reading the store: detached records over the views, for reports and exports."""

from __future__ import annotations

import json
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from data.errors import UsageError
from runs.store.blobs import get_text
from runs.store.conversations import Conversation, Turn, load_conversations
from runs.store.database import open_reading, shown_url, translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["Conversation", "Reader", "Row", "Turn", "context_files"]

Row = dict[str, Any]
SOME = 5
"""Names given when none is near."""


class Reader:
    """A database for reading. Every method raises `StoreError` when the database fails."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = open_reading(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._engine.dispose()

    @property
    def place(self) -> str:
        """The database as people know it."""
        return shown_url(self._url)

    def view(self, name: str, **where: object) -> list[Row]:
        """The rows of a view that have these values."""
        view = sa.table(name, *(sa.column(key) for key in where))
        query = sa.select(sa.text("*")).select_from(view)
        for key, value in where.items():
            query = query.where(sa.column(key) == value)
        with self._connection() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def text(self, digest: str | None) -> str:
        """A stored text; "" for none."""
        if not digest:
            return ""
        with self._connection() as connection:
            return get_text(connection, digest)

    def run(self, name: str | None) -> Row:
        """A run by name; None: the latest.

        Raises:
            UsageError: there is no such run.
        """
        runs = self.view("runs")
        if not runs:
            raise UsageError("the database holds no run yet", mend="begin with `troop demo`")
        if name is None:
            return max(runs, key=lambda run: run["created_at"])
        return _pick(runs, "run", name, "run")

    def instance(self, run: str, instance_id: str | None) -> Row:
        """An instance of a run; None: its only one.

        Raises:
            UsageError: there is no such instance, or it is not the only one.
        """
        instances = self.view("instances", run=run)
        if instance_id is not None:
            return _pick(instances, "instance_id", instance_id, f"instance in run {run}")
        if len(instances) != 1:
            raise UsageError(
                f"run {run} has {len(instances)} instances: name one",
                mend=f"`troop show {run}` lists them",
            )
        return instances[0]

    def conversation(self, run: str, instance_id: str, trajectory: str) -> Conversation:
        """A trajectory with its turns and executions.

        Raises:
            UsageError: there is no such trajectory.
        """
        where = {"run": run, "instance_id": instance_id}
        found = _pick(self.view("trajectories", **where), "trajectory", trajectory, "trajectory")
        with self._connection() as connection:
            return load_conversations(connection, run, instance_id, [found])[0]

    def conversations(self, run: str, instance_id: str) -> list[Conversation]:
        """All trajectories of an instance, in the order of their keys."""
        rows = self.view("trajectories", run=run, instance_id=instance_id)
        rows.sort(key=lambda row: row["trajectory"])
        with self._connection() as connection:
            return load_conversations(connection, run, instance_id, rows)

    def context(self, run: str, instance_id: str) -> str:
        """What an instance's conversations begin with, issue and files; "" where there is none."""
        query = """
            SELECT t.prefix FROM trajectory t JOIN instance i ON i.id = t.instance_id
            JOIN run r ON r.id = i.run_id
            WHERE r.name = :run AND i.instance_id = :instance_id AND t.prefix IS NOT NULL
            AND t.kind IN ('testing', 'editing', 'selection', 'judge') ORDER BY t.id LIMIT 1
        """
        with self._connection() as connection:
            where = {"run": run, "instance_id": instance_id}
            digest = connection.execute(sa.text(query), where).scalar()
            return get_text(connection, digest) if digest else ""

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        with translated(self._url), self._engine.connect() as connection:
            yield connection


def context_files(instance: Row) -> list[str]:
    """The paths of an instance's context."""
    return list(json.loads(instance["context_files"] or "[]"))


def _pick(rows: list[Row], column: str, wanted: str, what: str) -> Row:
    for row in rows:
        if row[column] == wanted:
            return row
    names = [row[column] for row in rows]
    near = get_close_matches(wanted, names, n=3, cutoff=0.4)
    some = ", ".join(near or names[:SOME]) + (", …" if not near and len(names) > SOME else "")
    meant = f"did you mean {some}?" if near else f"there are: {some}"
    raise UsageError(
        f"there is no {what} called {wanted}", mend=meant if names else "there is none yet"
    )
