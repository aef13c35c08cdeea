"""Trajectories out of the store, to be read: prompts, replies, and what was executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runs.store.blobs import get_text

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply of a trajectory, and what it led to."""

    row: Row
    """Of the view `turns`."""
    prompt: str
    reply: str
    executions: tuple[Row, ...]
    """What the trajectory saw once it had this reply: rows of `executions` with `purpose`."""
    reasoning: str = ""
    """What a reasoning model thought, where the server gave it apart."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A trajectory to read."""

    row: Row
    """Of the view `trajectories`."""
    system: str
    prefix: str
    turns: tuple[Turn, ...]

    @property
    def key(self) -> str:
        """For example "sample-3/editing"."""
        return str(self.row["trajectory"])


class _Texts:
    """Stored texts, each read once: trajectories share most of theirs."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._read: dict[str, str] = {}

    def get(self, digest: str | None) -> str:
        if not digest:
            return ""
        if digest not in self._read:
            self._read[digest] = get_text(self._connection, digest)
        return self._read[digest]


def load_conversations(
    connection: sa.Connection, run: str, instance_id: str, trajectories: Sequence[Row]
) -> list[Conversation]:
    """Load the trajectories whose rows of the view `trajectories` are given.

    The number of queries does not grow with the number of trajectories, of
    which relevance has one for each file.
    """
    names = {"run": run, "instance_id": instance_id}
    # One is asked for by its key; of many, all are read.
    if len(trajectories) == 1:
        names["trajectory"] = trajectories[0]["trajectory"]
    texts = _Texts(connection)
    one = "trajectory" in names
    openings = {row["trajectory"]: row for row in _rows(connection, _OPENINGS, names, one=one)}
    reasons = {
        (row["trajectory"], row["number"]): row["reasoning"]
        for row in _rows(connection, _REASONS, names, one=one)
    }
    turns = _grouped(_turn_rows(connection, names))
    seen = _grouped(_rows(connection, _SIGHTINGS, names, one=one, order="s.id"))
    found = []
    for row in trajectories:
        key = row["trajectory"]
        sightings = [dict(s, output=texts.get(s["output"])) for s in seen.get(key, [])]
        found.append(
            Conversation(
                row,
                texts.get(openings[key]["system"]),
                texts.get(openings[key]["prefix"]),
                tuple(
                    Turn(
                        turn,
                        texts.get(turn["prompt"]),
                        texts.get(turn["reply"]),
                        tuple(s for s in sightings if s["turn"] == turn["turn"] + 1),
                        texts.get(reasons.get((key, turn["turn"]))),
                    )
                    for turn in sorted(turns.get(key, []), key=lambda each: each["turn"])
                ),
            )
        )
    return found


_TRAJECTORIES = (
    " FROM trajectory t JOIN instance i ON i.id = t.instance_id JOIN run r ON r.id = i.run_id"
    " {join} WHERE r.name = :run AND i.instance_id = :instance_id"
)
_OPENINGS = "SELECT t.key AS trajectory, t.system, t.prefix" + _TRAJECTORIES.format(join="")
_REASONS = (
    "SELECT t.key AS trajectory, u.number, u.reasoning"
    + _TRAJECTORIES.format(join="JOIN turn u ON u.trajectory_id = t.id")
    + " AND u.reasoning IS NOT NULL"
)
_SIGHTINGS = (
    "SELECT t.key AS trajectory, s.turn, s.purpose, e.id AS execution, e.ending, e.exit_code,"
    " e.duration_s, e.output, e.script_text AS script, e.diff"
    + _TRAJECTORIES.format(
        join="JOIN sighting s ON s.trajectory_id = t.id JOIN execution e ON e.id = s.execution_id"
    )
)


def _rows(
    connection: sa.Connection, query: str, names: Row, *, one: bool, order: str = "t.id"
) -> list[Row]:
    query += (" AND t.key = :trajectory" if one else "") + f" ORDER BY {order}"
    return [dict(row) for row in connection.execute(sa.text(query), names).mappings()]


def _turn_rows(connection: sa.Connection, names: Row) -> list[Row]:
    view = sa.table("turns", *(sa.column(name) for name in names))
    query = sa.select(sa.text("*")).select_from(view)
    for name, value in names.items():
        query = query.where(sa.column(name) == value)
    return [dict(row) for row in connection.execute(query).mappings()]


def _grouped(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["trajectory"], []).append(row)
    return found
