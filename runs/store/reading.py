"""Reading the store: detached records over the views, for reports and exports."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from data.errors import UsageError
from runs.store.blobs import get_text
from runs.store.database import open_reading, shown_url, translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

Row = dict[str, Any]
SOME = 5
"""Names given when none is near."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply of a trajectory, and what it led to."""

    row: Row
    """Of the view `turns`."""
    prompt: str
    reply: str
    executions: tuple[Row, ...]
    """What the trajectory saw once it had this reply: rows of `executions` with `purpose`."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A trajectory to read."""

    row: Row
    """Of the view `trajectories`."""
    system: str
    prefix: str
    turns: tuple[Turn, ...]


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
        rows = sorted(
            self.view("turns", **where, trajectory=trajectory), key=lambda row: row["turn"]
        )
        with self._connection() as connection:
            system, prefix = _opening(connection, run, instance_id, trajectory)
            seen = _sightings(connection, run, instance_id, trajectory)
            turns = tuple(
                Turn(
                    row,
                    get_text(connection, row["prompt"]),
                    get_text(connection, row["reply"]),
                    tuple(see for see in seen if see["turn"] == row["turn"] + 1),
                )
                for row in rows
            )
        return Conversation(found, system, prefix, turns)

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


_TRAJECTORY = """
FROM trajectory t JOIN instance i ON i.id = t.instance_id JOIN run r ON r.id = i.run_id
{join} WHERE r.name = :run AND i.instance_id = :instance_id AND t.key = :trajectory
"""


def _opening(connection: sa.Connection, *names: str) -> tuple[str, str]:
    query = "SELECT t.system, t.prefix" + _TRAJECTORY.format(join="")
    row = connection.execute(sa.text(query), _named(names)).one()
    return _text_or_none(connection, row.system), _text_or_none(connection, row.prefix)


def _text_or_none(connection: sa.Connection, digest: str | None) -> str:
    return get_text(connection, digest) if digest else ""


def _sightings(connection: sa.Connection, *names: str) -> list[Row]:
    join = "JOIN sighting s ON s.trajectory_id = t.id JOIN execution e ON e.id = s.execution_id"
    columns = (
        "SELECT s.turn, s.purpose, e.id AS execution, e.ending, e.exit_code, e.duration_s,"
        " e.output, e.script_text AS script, e.diff"
    )
    query = columns + _TRAJECTORY.format(join=join) + "ORDER BY s.id"
    rows = connection.execute(sa.text(query), _named(names)).mappings()
    return [dict(row, output=get_text(connection, row["output"])) for row in rows]


def _named(names: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(("run", "instance_id", "trajectory"), names, strict=True))
