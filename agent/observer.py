"""The events that progress displays are given."""

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
    """The stages of an instance as people watch them; below each, what one step is."""

    RELEVANCE = "relevance"
    """A file was read."""
    RANKING = "ranking"
    """A ranking of the relevant files was read."""
    SAMPLES = "samples"
    """A sample ended."""
    REPOSITORY_TESTS = "repository tests"
    """A repository test file was tried on the unedited code."""
    MATRIX = "matrix"
    """A test gave its verdict on a candidate."""
    REPEATS = "repeats"
    """A test that counts was run again, to see whether it is flaky."""
    SELECTION = "selection"
    """The selection trajectory got a reply."""
    JUDGE = "judge"
    """The judge got a reply."""


class Doing(enum.StrEnum):
    """What a call or an execution is doing."""

    CALL_SLOT = "waiting to call the model"
    """As many calls as `batch.model_calls` allows are in flight."""
    MODEL = "waiting for the model"
    SANDBOX_SLOT = "waiting for a sandbox"
    """As many scripts as `batch.executions` allows are running."""
    SCRIPT = "running a script"
    OVER = "over"


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """One call or execution that is under way, compared by identity."""

    trajectories: list[TrajectoryId] = field(default_factory=list)
    """Those that wait for it; more may join. Empty: only the workbench waits for it."""


class Observer(Protocol):
    """Follows what happens in one instance, for people to watch. Must not fail or block."""

    def stage(self, stage: Stage, total: int) -> None:
        """A stage begins that has at most `total` steps (0: not known)."""

    def step(self, stage: Stage) -> None:
        """One step of the stage is done."""

    def turn(self, trajectory: TrajectoryId, number: int) -> None:
        """A trajectory takes a turn, counted from 1."""

    def trajectory_ended(self, trajectory: TrajectoryId, outcome: Outcome) -> None:
        """A trajectory ended."""

    def sample(self, number: int, outcome: Outcome) -> None:
        """A sample ended."""

    def doing(self, effect: Effect, doing: Doing) -> None:
        """A call or an execution begins, gets further, or ends."""

    def call(self, response: Response, cost_usd: float | None) -> None:
        """The server answered a call; `cost_usd` is in US dollars (None: unknown)."""

    def recalled(self) -> None:
        """A turn was answered from the journal, not by the server."""

    def execution(self, execution: Execution, *, recalled: bool) -> None:
        """A script was run, or recalled from the journal."""

    def saw(self, trajectory: TrajectoryId, purpose: str, execution: Execution) -> None:
        """A trajectory was given the result of an execution."""


class Unobserved:
    """An `Observer` for when nobody watches."""

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
