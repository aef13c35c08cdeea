"""What the tests say of the chosen patch, from the matrix and what else the store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from agent.journal import Kind
from runs.store.tables import ExecutionTable, SightingTable, TrajectoryTable
from selection.selectors.protocol import Reason
from selection.selectors.trajectory import option_names
from selection.support import Evidence, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selection.matrix import Matrix


def evidence(
    connection: sa.Connection,
    instance: int,
    matrix: Matrix,
    chosen: int,
    finalists: Sequence[int],
    *,
    reason: str,
) -> Evidence:
    """What speaks for and against the chosen candidate.

    `finalists` are in the vote's order; `reason` says who chose it.
    """
    said = _last_trial(connection, instance)
    names = zip(option_names(len(finalists)), finalists, strict=True)
    trial = {number: said[name] for name, number in names if name in said}
    asked = _asked(connection, instance)
    return weigh(matrix, chosen, trial=trial, asked=asked, cleared=reason == Reason.SELECTION)


def _last_trial(connection: sa.Connection, instance: int) -> dict[str, int | None]:
    """Exit codes of the last script of the run's selection trajectory, by what it ran on."""
    seen, ran, talk = SightingTable, ExecutionTable, TrajectoryTable
    query = (
        sa.select(seen.turn, seen.purpose, ran.exit_code)
        .join(talk, talk.id == seen.trajectory_id)
        .join(ran, ran.id == seen.execution_id)
        .where(talk.instance_id == instance, talk.key == Kind.SELECTION.value)
    )
    rows = connection.execute(query).all()
    last = max((row.turn for row in rows), default=0)
    return {row.purpose: row.exit_code for row in rows if row.turn == last}


def _asked(connection: sa.Connection, instance: int) -> bool:
    """Whether a model was asked for tests."""
    table = TrajectoryTable
    own = (table.instance_id == instance) & (table.kind == Kind.TESTING.value)
    return bool(connection.execute(sa.select(sa.exists().where(own))).scalar_one())
