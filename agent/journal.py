"""The journal: effects are recorded before the code that asked for them sees them.

A trajectory is a plain async function. To resume it, run it again: recorded
effects are answered from here, and the first unrecorded one is where work goes
on. A model reply is recorded under its trajectory and turn; an execution under
what it executed, since the same script on the same patch is run once.
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
    """Which trajectory of the instance."""

    key: str
    """Unique in the instance, for example "sample-3/editing"."""
    kind: Kind
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class TurnPrompt:
    """What a turn adds to its conversation, in the pieces that are worth storing once."""

    trajectory: TrajectoryId
    turn: int
    digest: str
    """SHA-256 (hex) of the whole request: model, parameters and every message so far."""
    prompt: str
    system: str = ""
    """Only at turn 0."""
    prefix: str = ""
    """Only at turn 0: what stands before `prompt` and is shared between trajectories."""


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A reply that was recorded earlier."""

    digest: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class RecordedEnding:
    """A trajectory that came to its end earlier."""

    outcome: str
    last_reply: str
    """"" where it ended without any."""


class Journal(Protocol):
    """The recorded effects of one instance."""

    def recall_turn(self, trajectory: str, turn: int) -> RecordedTurn | None:
        """The recorded reply, or None."""

    def recall_ending(self, trajectory: str) -> RecordedEnding | None:
        """How a trajectory ended; None: it did not, or nobody began it."""

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
        """The recorded execution of this very script on this very patch, or None.

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

    async def record_ending(self, trajectory: TrajectoryId, outcome: str) -> None:
        """Store how a trajectory ended. Idempotent."""
