"""Live progress of one instance: the facts behind the display."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.observer import Doing, Stage
from runs.show.samples import SampleProgress, endings
from runs.store.registry import Status

if TYPE_CHECKING:
    from agent.journal import Kind, TrajectoryId
    from agent.model import Response
    from agent.observer import Effect
    from agent.outcome import Outcome
    from runs.show.spending import Totals
    from sandbox.protocol import Execution

FEW = 3
"""With more instances than this, lines report only an instance's start, samples and end."""

_BEGINNINGS = {
    Stage.RELEVANCE: "reading {} files",
    Stage.RANKING: "ranking the relevant files {} times",
    Stage.SAMPLES: "{} samples begin",
    Stage.REPOSITORY_TESTS: "trying the repository's own test files",
    Stage.MATRIX: "running every test on every candidate: {} verdicts to come",
    Stage.REPEATS: "repeating tests that count, to find flaky ones: {} executions to come",
    Stage.SELECTION: "the selection trajectory begins: at most {} replies",
    Stage.JUDGE: "a judge begins: at most {} replies",
}


@dataclass(slots=True)
class Count:
    """How far a stage is."""

    done: int = 0
    total: int = 0
    """At most; 0: not known."""


class Teller(Protocol):
    """The display that an instance's progress is reported to."""

    totals: Totals
    trouble: str

    def now(self) -> float:
        """Seconds on some clock."""

    def tell(self, line: str, *, detail: bool = False) -> None:
        """An event, for displays that print lines; a `detail` only with few instances."""


class InstanceProgress:
    """`agent.observer.Observer` of one instance."""

    def __init__(self, display: Teller, instance_id: str) -> None:
        self.instance_id = instance_id
        self.status = Status.WAITING
        self.opening = ""
        """What it waits for before work begins."""
        self.stage_now: Stage | None = None
        self.stages: dict[Stage, Count] = {}
        self.samples: dict[int, SampleProgress] = {}
        self.turns: dict[Kind, int] = {}
        """The turn of each trajectory that belongs to no sample."""
        self.effects: dict[Effect, tuple[Doing, float]] = {}
        """What is under way, and since when."""
        self.error = ""
        self.began: float | None = None
        self.ended: float | None = None
        self._display = display

    def begin(self, samples: int) -> None:
        """Work on the instance begins."""
        self.status, self.began = Status.RUNNING, self._display.now()
        self.opening = ""
        self.samples = {number: SampleProgress(number) for number in range(1, samples + 1)}
        self._tell("begun")

    def stage(self, stage: Stage, total: int) -> None:
        """See `Observer`."""
        self.stage_now = stage
        self.stages.pop(stage, None)  # it may come again, and is the last one then
        self.stages[stage] = Count(total=total)
        self._tell(_BEGINNINGS[stage].format(total), detail=True)

    def step(self, stage: Stage) -> None:
        """See `Observer`."""
        self.stages.setdefault(stage, Count()).done += 1

    def turn(self, trajectory: TrajectoryId, number: int) -> None:
        """See `Observer`."""
        if trajectory.sample is None:
            self.turns[trajectory.kind] = number
        else:
            sample = self._sample(trajectory.sample)
            sample.kind, sample.turn = trajectory.kind, number

    def trajectory_ended(self, trajectory: TrajectoryId, outcome: Outcome) -> None:
        """See `Observer`."""
        if trajectory.sample is not None:
            self._sample(trajectory.sample).endings[trajectory.kind] = outcome

    def sample(self, number: int, outcome: Outcome) -> None:
        """See `Observer`."""
        sample = self._sample(number)
        sample.outcome = outcome
        self._tell(f"sample {number} ended: {sample.words}", detail=True)
        if all(one.outcome for one in self.samples.values()):
            self._tell(f"samples ended: {endings(self.samples.values())}")

    def doing(self, effect: Effect, doing: Doing) -> None:
        """See `Observer`."""
        if doing is Doing.OVER:
            self.effects.pop(effect, None)
            return
        self.effects[effect] = doing, self._display.now()
        for trajectory in effect.trajectories:
            if trajectory.sample is None:
                continue
            sample = self._sample(trajectory.sample)
            if trajectory.kind not in sample.begun:  # not if it only comes from the journal
                sample.begun.add(trajectory.kind)
                self._tell(f"sample {sample.number}: {trajectory.kind} begins", detail=True)

    def recalled(self) -> None:
        """See `Observer`."""
        self._display.totals.recalled += 1

    def call(self, response: Response, cost_usd: float | None) -> None:
        """See `Observer`."""
        self._display.trouble = ""
        self._display.totals.add(response, cost_usd)

    def execution(self, execution: Execution, *, recalled: bool) -> None:  # noqa: ARG002
        """See `Observer`."""
        if recalled:
            self._display.totals.recalled_executions += 1
        else:
            self._display.totals.executions += 1

    def saw(self, trajectory: TrajectoryId, purpose: str, execution: Execution) -> None:
        """See `Observer`."""
        if trajectory.sample is not None:
            self._sample(trajectory.sample).seen[purpose] = execution

    def _sample(self, number: int) -> SampleProgress:
        return self.samples.setdefault(number, SampleProgress(number))

    def _tell(self, line: str, *, detail: bool = False) -> None:
        self._display.tell(f"{self.instance_id}: {line}", detail=detail)
