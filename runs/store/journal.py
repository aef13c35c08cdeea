"""The journal of one instance, in the database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from agent.journal import RecordedEnding, RecordedTurn, TrajectoryId, TurnPrompt
from agent.model import Choice, Finish, Reply, Usage
from runs.store.blobs import expand, put_text
from runs.store.dialect import insert_missing
from runs.store.ownership import check
from runs.store.tables import (
    BlobTable,
    CallTable,
    ExecutionTable,
    SightingTable,
    TrajectoryTable,
    TurnTable,
    now,
    sql_text,
)
from sandbox.protocol import Ending, Execution

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.model import ModelRequest, Response
    from data.patches.patch import Patch
    from runs.store.ownership import Claim
    from runs.store.writer import Writer
    from sandbox.protocol import Script


@dataclass(slots=True)
class Recorded:
    """What the journal holds of one instance. Names of trajectories are as `sql_text` has them."""

    turns: dict[tuple[str, int], RecordedTurn]
    executions: dict[tuple[str, str], Execution]
    """(`script_key`, patch digest) -> execution."""
    endings: dict[str, str]
    """Trajectory -> how it ended."""

    def ending(self, trajectory: str) -> RecordedEnding | None:
        """How a trajectory ended, with its last reply; None: it has not ended."""
        outcome = self.endings.get(trajectory)
        if outcome is None:
            return None
        turns = (turn for key, turn in self.turns if key == trajectory)
        last = max(turns, default=None)
        reply = "" if last is None else self.turns[trajectory, last].reply.choice.text
        return RecordedEnding(outcome, reply)


class StoreJournal:
    """`agent.journal.Journal` in the database. What is recorded is also held in memory."""

    def __init__(self, writer: Writer, claim: Claim, recorded: Recorded) -> None:
        self._writer = writer
        self._claim = claim
        self._instance = claim.key
        self._recorded = recorded

    def recall_turn(self, trajectory: str, turn: int) -> RecordedTurn | None:
        """See `Journal`."""
        return self._recorded.turns.get((sql_text(trajectory), turn))

    def recall_ending(self, trajectory: str) -> RecordedEnding | None:
        """See `Journal`."""
        return self._recorded.ending(sql_text(trajectory))

    async def record_call(
        self,
        request: ModelRequest,
        response: Response,
        turns: list[TurnPrompt],
        cost_usd: float | None,
    ) -> None:
        """See `Journal`."""

        def work(connection: sa.Connection) -> None:
            call = self._insert_call(connection, request, response, turns[0], cost_usd)
            for turn, choice in zip(turns, response.choices, strict=True):
                self._insert_turn(connection, call, turn, choice)

        await self._write(work)
        for turn, choice in zip(turns, response.choices, strict=True):
            reply = Reply(choice, response.usage, cost_usd)
            key = sql_text(turn.trajectory.key)
            self._recorded.turns[key, turn.turn] = RecordedTurn(turn.digest, reply)

    def recall_execution(self, script: Script, patch: Patch, repeat: int = 0) -> Execution | None:
        """See `Journal`."""
        return self._recorded.executions.get((script_key(script, repeat), patch.digest))

    async def record_execution(
        self, script: Script, patch: Patch, execution: Execution, repeat: int = 0
    ) -> None:
        """See `Journal`."""

        def work(connection: sa.Connection) -> None:
            known = self._writer.known
            row = {
                "instance_id": self._instance,
                "script": script_key(script, repeat),
                "script_text": put_text(connection, script.text, known),
                "interpreter": script.interpreter,
                "suffix": script.suffix,
                "patch": patch.digest,
                "diff": put_text(connection, patch.diff, known) if patch else "",
                "ending": execution.ending.value,
                "exit_code": execution.exit_code,
                "output": put_text(connection, execution.output, known),
                "output_bytes": execution.output_bytes,
                "duration_s": execution.duration_s,
                "repeat": repeat,
                "created_at": now(),
            }
            insert_missing(connection, ExecutionTable, row)

        await self._write(work)
        self._recorded.executions[script_key(script, repeat), patch.digest] = execution

    async def record_use(
        self,
        trajectory: TrajectoryId,
        turn: int,
        purpose: str,
        script: Script,
        patch: Patch,
        *,
        repeat: int = 0,
    ) -> None:
        """See `Journal`."""

        def work(connection: sa.Connection) -> None:
            row = {
                "trajectory_id": self._trajectory(connection, trajectory),
                "execution_id": execution_key(connection, self._instance, script, patch, repeat),
                "turn": turn,
                "purpose": purpose,
            }
            insert_missing(connection, SightingTable, row)

        await self._write(work)

    async def record_ending(self, trajectory: TrajectoryId, outcome: str, error: str = "") -> None:
        """See `Journal`."""

        def work(connection: sa.Connection) -> None:
            key = self._trajectory(connection, trajectory)
            ended = sa.update(TrajectoryTable).where(TrajectoryTable.id == key)
            connection.execute(ended.values(outcome=outcome, error=error))

        await self._write(work)
        self._recorded.endings[sql_text(trajectory.key)] = outcome

    async def _write(self, work: Callable[[sa.Connection], None]) -> None:
        """Write, if the instance is still ours.

        Raises:
            LeaseLost: it is not, and nothing was written.
        """

        def held(connection: sa.Connection) -> None:
            check(connection, self._claim)
            work(connection)

        await self._writer.write(held)

    def _insert_call(
        self,
        connection: sa.Connection,
        request: ModelRequest,
        response: Response,
        first: TurnPrompt,
        cost_usd: float | None,
    ) -> int:
        usage = response.usage
        row = {
            "instance_id": self._instance,
            "kind": first.trajectory.kind.value,
            "model": request.model,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "n": request.n,
            "prompt_tokens": usage.prompt_tokens if usage else None,
            "cached_tokens": usage.cached_tokens if usage else None,
            "completion_tokens": usage.completion_tokens if usage else None,
            "cost_usd": cost_usd,
            "duration_s": response.duration_s,
            "attempts": response.attempts,
            "replayed": response.replayed,
            "created_at": now(),
        }
        key: int = connection.execute(
            sa.insert(CallTable).values(row).returning(CallTable.id)
        ).scalar_one()
        return key

    def _insert_turn(
        self, connection: sa.Connection, call: int, turn: TurnPrompt, choice: Choice
    ) -> None:
        known = self._writer.known
        trajectory = self._trajectory(connection, turn.trajectory)
        if turn.turn == 0:
            values = {
                "system": put_text(connection, turn.system, known),
                "prefix": put_text(connection, turn.prefix, known),
            }
            connection.execute(
                sa.update(TrajectoryTable).where(TrajectoryTable.id == trajectory).values(values)
            )
        reasoning = put_text(connection, choice.reasoning, known) if choice.reasoning else None
        row = {
            "trajectory_id": trajectory,
            "number": turn.turn,
            "call_id": call,
            "request_digest": turn.digest,
            "prompt": put_text(connection, turn.prompt, known),
            "reply": put_text(connection, choice.text, known),
            "reasoning": reasoning,
            "finish": choice.finish.value,
        }
        connection.execute(sa.insert(TurnTable).values(row))

    def _trajectory(self, connection: sa.Connection, trajectory: TrajectoryId) -> int:
        """The trajectory's primary key; its row is created if needed."""
        name = (self._instance, trajectory.key)
        if name not in self._writer.keys:
            row = {
                "instance_id": self._instance,
                "key": trajectory.key,
                "kind": trajectory.kind.value,
                "sample": trajectory.sample,
                "created_at": now(),
            }
            insert_missing(connection, TrajectoryTable, row)
            self._writer.keys[name] = connection.execute(
                sa.select(TrajectoryTable.id).where(
                    TrajectoryTable.instance_id == self._instance,
                    TrajectoryTable.key == trajectory.key,
                )
            ).scalar_one()
        return self._writer.keys[name]


def script_key(script: Script, repeat: int) -> str:
    """What identifies an execution beside its patch: the script, and which repeat of it."""
    if not repeat:
        return script.digest
    return hashlib.sha256(f"{script.digest}\0{repeat}".encode()).hexdigest()


def execution_key(
    connection: sa.Connection, instance: int, script: Script, patch: Patch, repeat: int = 0
) -> int:
    """The primary key of an execution."""
    key: int = connection.execute(
        sa.select(ExecutionTable.id).where(
            ExecutionTable.instance_id == instance,
            ExecutionTable.script == script_key(script, repeat),
            ExecutionTable.patch == patch.digest,
        )
    ).scalar_one()
    return key


def load_recorded(connection: sa.Connection, instance: int) -> Recorded:
    """What the database holds of one instance."""
    return Recorded(
        _load_turns(connection, instance),
        _load_executions(connection, instance),
        _load_endings(connection, instance),
    )


def _load_endings(connection: sa.Connection, instance: int) -> dict[str, str]:
    query = sa.select(TrajectoryTable.key, TrajectoryTable.outcome).where(
        TrajectoryTable.instance_id == instance, TrajectoryTable.outcome.is_not(None)
    )
    return {row.key: row.outcome for row in connection.execute(query)}


def _load_turns(connection: sa.Connection, instance: int) -> dict[tuple[str, int], RecordedTurn]:
    rows = connection.execute(
        sa.select(
            TrajectoryTable.key,
            TurnTable.number,
            TurnTable.request_digest,
            TurnTable.finish,
            CallTable.prompt_tokens,
            CallTable.cached_tokens,
            CallTable.completion_tokens,
            CallTable.cost_usd,
            BlobTable.data,
            BlobTable.size,
        )
        .join_from(TurnTable, TrajectoryTable, TurnTable.trajectory_id == TrajectoryTable.id)
        .join(CallTable, TurnTable.call_id == CallTable.id)
        .join(BlobTable, TurnTable.reply == BlobTable.digest)
        .where(TrajectoryTable.instance_id == instance)
    )
    found = {}
    for row in rows:
        usage = None
        if row.prompt_tokens is not None:
            usage = Usage(row.prompt_tokens, row.completion_tokens, row.cached_tokens)
        choice = Choice(expand(row.data, row.size), Finish(row.finish))
        reply = Reply(choice, usage, row.cost_usd)
        found[row.key, row.number] = RecordedTurn(row.request_digest, reply)
    return found


def _load_executions(connection: sa.Connection, instance: int) -> dict[tuple[str, str], Execution]:
    rows = connection.execute(
        sa.select(ExecutionTable, BlobTable.data, BlobTable.size)
        .join(BlobTable, ExecutionTable.output == BlobTable.digest)
        .where(ExecutionTable.instance_id == instance)
    )
    return {
        (row.script, row.patch): Execution(
            Ending(row.ending),
            row.exit_code,
            expand(row.data, row.size),
            row.output_bytes,
            row.duration_s,
        )
        for row in rows
    }
