"""Trajectories read from the store: prompts, replies, and what was executed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from agent.journal import Kind
from agent.model import Finish
from agent.outcome import Outcome
from runs.store.blobs import Texts, get_texts
from runs.store.records import (
    CallRecord,
    ExecutionRecord,
    SeenExecution,
    TrajectoryRecord,
    TurnRecord,
)
from runs.store.rows import utc
from runs.store.tables import (
    CallTable,
    ExecutionTable,
    SightingTable,
    TrajectoryTable,
    TurnTable,
)
from sandbox.protocol import Ending, Execution, Script

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    Where = sa.ColumnElement[bool]

OPENED = (Kind.TESTING, Kind.EDITING, Kind.SELECTION, Kind.JUDGE)
"""The kinds of trajectory that begin with the context."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply of a trajectory, and what it led to."""

    record: TurnRecord
    prompt: str
    reply: str
    reasoning: str
    """What a reasoning model thought, if the server gave it separately."""
    executions: tuple[SeenExecution, ...]
    """What the trajectory saw after this reply."""


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A trajectory with its texts."""

    trajectory: TrajectoryRecord
    system: str
    prefix: str
    turns: tuple[Turn, ...]

    @property
    def key(self) -> str:
        """For example "sample-3/editing"."""
        return self.trajectory.key

    @property
    def kind(self) -> Kind:
        """What it is for."""
        return self.trajectory.kind


def conversations(
    session: Session, instance: int, key: str | None = None
) -> list[StoredConversation]:
    """The trajectories of an instance, ordered by key, or the one with this key.

    The number of queries does not grow with the number of trajectories: relevance
    has one for each file.
    """
    where = [TrajectoryTable.instance_id == instance]
    if key is not None:
        where.append(TrajectoryTable.key == key)
    texts = _texts(session, where)
    query = sa.select(TrajectoryTable.key, TrajectoryTable.system, TrajectoryTable.prefix)
    openings = {row.key: row for row in session.execute(query.where(*where))}
    said = defaultdict[str, list[TurnRecord]](list)
    for turn in turns(session, *where):
        said[turn.trajectory].append(turn)
    seen = _seen(session, where, texts)
    return [
        StoredConversation(
            trajectory,
            texts.of(openings[trajectory.key].system),
            texts.of(openings[trajectory.key].prefix),
            tuple(
                Turn(
                    turn,
                    texts[turn.prompt],
                    texts[turn.reply],
                    texts.of(turn.reasoning),
                    tuple(seen[turn.trajectory, turn.number + 1]),
                )
                for turn in said[trajectory.key]
            ),
        )
        for trajectory in trajectories(session, *where)
    ]


def context(session: Session, instance: int) -> str:
    """The issue and files that an instance's conversations begin with; "" if there are none."""
    table = TrajectoryTable
    query = (
        sa.select(table.prefix)
        .where(table.instance_id == instance, table.prefix.is_not(None), table.kind.in_(OPENED))
        .order_by(table.id)
        .limit(1)
    )
    texts = get_texts(session.connection(), query)
    return next(iter(texts.values()), "")


def trajectories(session: Session, *where: Where) -> tuple[TrajectoryRecord, ...]:
    """Trajectories, ordered by key."""
    table = TrajectoryTable
    replies = sa.select(sa.func.count()).where(TurnTable.trajectory_id == table.id)
    query = sa.select(table, replies.scalar_subquery()).where(*where)
    found = (
        TrajectoryRecord(
            row.key,
            Kind(row.kind),
            row.sample,
            None if row.outcome is None else Outcome(row.outcome),
            count,
            row.error,
        )
        for row, count in session.execute(query)
    )
    return tuple(sorted(found, key=lambda one: one.key))


def turns(session: Session, *where: Where) -> tuple[TurnRecord, ...]:
    """Turns, ordered by trajectory and number."""
    query = (
        sa.select(TurnTable, TrajectoryTable.key, CallTable)
        .join(TrajectoryTable, TrajectoryTable.id == TurnTable.trajectory_id)
        .join(CallTable, CallTable.id == TurnTable.call_id)
        .where(*where)
    )
    made: dict[int, CallRecord] = {}
    found = (
        TurnRecord(
            trajectory=key,
            number=row.number,
            call=made.setdefault(call.id, _call(call)),
            finish=Finish(row.finish),
            prompt=row.prompt,
            reply=row.reply,
            reasoning=row.reasoning,
        )
        for row, key, call in session.execute(query)
    )
    return tuple(sorted(found, key=lambda one: (one.trajectory, one.number)))


def calls(session: Session, key: int) -> tuple[CallRecord, ...]:
    """The calls of an instance, in the order in which they were answered."""
    query = sa.select(CallTable).where(CallTable.instance_id == key).order_by(CallTable.id)
    return tuple(_call(row) for row in session.scalars(query))


def executions(session: Session, key: int) -> tuple[ExecutionRecord, ...]:
    """The executions of an instance, in the order in which they ended."""
    table = ExecutionTable
    query = sa.select(table).where(table.instance_id == key).order_by(table.id)
    return tuple(
        ExecutionRecord(
            number=row.id,
            ending=Ending(row.ending),
            exit_code=row.exit_code,
            duration_s=row.duration_s,
            output=row.output,
            output_bytes=row.output_bytes,
            script=row.script_text,
            interpreter=row.interpreter,
            suffix=row.suffix,
            diff=row.diff,
            patch=row.patch,
            repeat=row.repeat,
            created_at=utc(row.created_at),
        )
        for row in session.scalars(query)
    )


def _call(row: CallTable) -> CallRecord:
    return CallRecord(
        number=row.id,
        kind=Kind(row.kind),
        model=row.model,
        n=row.n,
        prompt_tokens=row.prompt_tokens,
        cached_tokens=row.cached_tokens,
        completion_tokens=row.completion_tokens,
        cost_usd=row.cost_usd,
        duration_s=row.duration_s,
        attempts=row.attempts,
        replayed=row.replayed,
        created_at=utc(row.created_at),
    )


def _seen(
    session: Session, where: list[Where], texts: Texts
) -> defaultdict[tuple[str, int], list[SeenExecution]]:
    """What trajectories saw, by key and by the number of replies that they had by then."""
    query = (
        sa.select(TrajectoryTable.key, SightingTable, ExecutionTable)
        .join(SightingTable, SightingTable.trajectory_id == TrajectoryTable.id)
        .join(ExecutionTable, ExecutionTable.id == SightingTable.execution_id)
        .where(*where)
        .order_by(SightingTable.id)
    )
    found = defaultdict[tuple[str, int], list[SeenExecution]](list)
    for key, sighting, row in session.execute(query):
        output = texts[row.output]
        execution = Execution(
            Ending(row.ending), row.exit_code, output, row.output_bytes, row.duration_s
        )
        script = Script(texts[row.script_text], row.interpreter, row.suffix)
        seen = SeenExecution(sighting.turn, sighting.purpose, row.id, execution, script)
        found[key, sighting.turn].append(seen)
    return found


def _texts(session: Session, where: list[Where]) -> Texts:
    """All texts of these trajectories. They share most of them."""
    trajectory, turn, sighting, execution = (
        TrajectoryTable,
        TurnTable,
        SightingTable,
        ExecutionTable,
    )
    openings = (sa.select(column) for column in (trajectory.system, trajectory.prefix))
    said = (
        sa.select(column).join(trajectory, trajectory.id == turn.trajectory_id)
        for column in (turn.prompt, turn.reply, turn.reasoning)
    )
    seen = (
        sa.select(column)
        .join(sighting, sighting.execution_id == execution.id)
        .join(trajectory, trajectory.id == sighting.trajectory_id)
        for column in (execution.output, execution.script_text)
    )
    digests = (query.where(*where) for query in (*openings, *said, *seen))
    return get_texts(session.connection(), sa.union(*digests))
