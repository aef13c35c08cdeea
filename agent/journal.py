"""The journal: effects are recorded before the code that asked for them sees them.

A trajectory is a plain async function. To resume it, run it again: recorded
effects are answered from here, and work continues at the first unrecorded one.
A model reply is recorded under its trajectory and turn; an execution under what
it executed, because the same script on the same patch is run once.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.model import ModelRequest, Reply, Response
    from data.patches.patch import Patch
    from sandbox.protocol import Execution, Script


class Kind(enum.StrEnum):
    """The kinds of trajectory; also the stages that cost is counted by."""

    RELEVANCE = "relevance"
    RANKING = "ranking"
    TESTING = "testing"
    EDITING = "editing"
    MATRIX = "matrix"
    SELECTION = "selection"
    JUDGE = "judge"
    """A choice from the diffs alone."""


@dataclass(frozen=True, slots=True)
class TrajectoryId:
    """A trajectory of the instance."""

    key: str
    """Unique in the instance, for example "sample-3/editing"."""
    kind: Kind
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class TurnPrompt:
    """What a turn adds to its conversation, in pieces that are each stored once."""

    trajectory: TrajectoryId
    turn: int
    digest: str
    """SHA-256 (hex) of the whole request: model, parameters and every message so far."""
    prompt: str
    system: str = ""
    """Only at turn 0."""
    prefix: str = ""
    """Only at turn 0: the text before `prompt`, which trajectories share."""


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A reply that was recorded earlier."""

    digest: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class RecordedEnding:
    """A trajectory that ended earlier."""

    outcome: str
    last_reply: str
    """"": it ended without a reply."""


class Journal(Protocol):
    """The recorded effects of one instance."""

    def recall_turn(self, trajectory: str, turn: int) -> RecordedTurn | None:
        """The recorded reply, or None."""

    def recall_ending(self, trajectory: str) -> RecordedEnding | None:
        """How a trajectory ended; None: it has not ended, or has not begun."""

    async def record_call(
        self,
        request: ModelRequest,
        response: Response,
        turns: list[TurnPrompt],
        cost_usd: float | None,
    ) -> None:
        """Store a response with its cost; `turns[i]` takes `response.choices[i]`.

        Returns when it is durable, in one transaction.

        Raises:
            StoreError: it could not be stored.
        """

    def recall_execution(self, script: Script, patch: Patch, repeat: int = 0) -> Execution | None:
        """The recorded execution of exactly this script on this patch, or None.

        `repeat` counts executions of the same pair, from 0.
        """

    async def record_execution(
        self, script: Script, patch: Patch, execution: Execution, repeat: int = 0
    ) -> None:
        """Store an execution. Returns when it is durable.

        Raises:
            StoreError: it could not be stored.
        """

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
        """Note that a trajectory saw an execution after `turn` replies. Idempotent."""

    async def record_ending(self, trajectory: TrajectoryId, outcome: str, error: str = "") -> None:
        """Store how a trajectory ended; `error`: the trace of what ended it. Idempotent."""
