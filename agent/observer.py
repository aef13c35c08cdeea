"""What progress displays are told."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.journal import TrajectoryId
    from agent.model import Response
    from agent.outcome import Outcome
    from sandbox.protocol import Execution


class Stage(enum.StrEnum):
    """The stages of an instance as people watch them, each behind what its steps are."""

    RELEVANCE = "relevance"
    """Files read."""
    RANKING = "ranking"
    """Rankings of the relevant files."""
    SAMPLES = "samples"
    """Samples ended."""
    REPOSITORY_TESTS = "repository tests"
    """The repository's own test files, tried on the unedited code."""
    MATRIX = "matrix"
    """Verdicts."""
    REPEATS = "repeats"
    """Executions of tests that count, again, to see whether they are flaky."""
    SELECTION = "selection"
    """Replies of the selection trajectory."""
    JUDGE = "judge"
    """Replies of a judge."""


class Doing(enum.StrEnum):
    """How far a call or an execution is."""

    CALL_SLOT = "waiting to call the model"
    """As many calls as `batch.model_calls` allows are in flight."""
    MODEL = "waiting for the model"
    SANDBOX_SLOT = "waiting for a sandbox"
    """As many scripts as `batch.executions` allows are running."""
    SCRIPT = "running a script"
    OVER = "over"


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """One call or one execution under way; it is known by its identity."""

    trajectories: list[TrajectoryId] = field(default_factory=list)
    """Those that wait for it; more may join, and where nobody else does it is the bench itself."""


class Observer(Protocol):
    """Told what happens in one instance, for people to watch. Must not fail or block."""

    def stage(self, stage: Stage, total: int) -> None:
        """A stage begins that has at most `total` steps (0: not known)."""

    def step(self, stage: Stage) -> None:
        """One step of the stage is done."""

    def turn(self, trajectory: TrajectoryId, number: int) -> None:
        """A trajectory takes a turn, counted from 1."""

    def trajectory_ended(self, trajectory: TrajectoryId, outcome: Outcome) -> None:
        """A trajectory came to its end."""

    def sample(self, number: int, outcome: Outcome) -> None:
        """A sample came to its end."""

    def doing(self, effect: Effect, doing: Doing) -> None:
        """A call or an execution begins, gets further, or is over."""

    def call(self, response: Response, cost_usd: float | None) -> None:
        """The server answered a call, which cost so many US dollars (None: unknown)."""

    def recalled(self) -> None:
        """A turn was answered from the journal, not by the server."""

    def execution(self, execution: Execution, *, recalled: bool) -> None:
        """A script was run, or recalled from the journal."""

    def saw(self, trajectory: TrajectoryId, purpose: str, execution: Execution) -> None:
        """A trajectory was given the result of an execution."""


class Unobserved:
    """`Observer` where nobody watches."""

    def stage(self, stage: Stage, total: int) -> None:
        """See `Observer`."""

    def step(self, stage: Stage) -> None:
        """See `Observer`."""

    def turn(self, trajectory: TrajectoryId, number: int) -> None:
        """See `Observer`."""

    def trajectory_ended(self, trajectory: TrajectoryId, outcome: Outcome) -> None:
        """See `Observer`."""

    def sample(self, number: int, outcome: Outcome) -> None:
        """See `Observer`."""

    def doing(self, effect: Effect, doing: Doing) -> None:
        """See `Observer`."""

    def call(self, response: Response, cost_usd: float | None) -> None:
        """See `Observer`."""

    def recalled(self) -> None:
        """See `Observer`."""

    def execution(self, execution: Execution, *, recalled: bool) -> None:
        """See `Observer`."""

    def saw(self, trajectory: TrajectoryId, purpose: str, execution: Execution) -> None:
        """See `Observer`."""
