"""Live progress of one instance and what was spent: the numbers behind the display."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.journal import Kind
from agent.outcome import Outcome
from runs.store.registry import Status

if TYPE_CHECKING:
    from agent.journal import TrajectoryId
    from agent.model import Response
    from sandbox.protocol import Execution


@dataclass(slots=True)
class Totals:
    """What was spent."""

    calls: int = 0
    recalled: int = 0
    replayed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    executions: int = 0
    recalled_executions: int = 0


_STAGES = {
    Kind.RELEVANCE: "{} files to read",
    Kind.RANKING: "{} rankings",
    Kind.MATRIX: "{} votes",
    Kind.SELECTION: "at most {} replies",
    Kind.JUDGE: "at most {} replies",
}


class Teller(Protocol):
    """What an instance's progress is told to."""

    totals: Totals
    trouble: str

    def tell(self, line: str) -> None:
        """An event, for displays that print lines."""


class InstanceProgress:
    """`agent.observer.Observer` of one instance."""

    def __init__(self, display: Teller, instance_id: str) -> None:
        self.instance_id = instance_id
        self.status = Status.WAITING
        self.stage_name = ""
        self.steps: Counter[Kind] = Counter()
        self.totals: dict[Kind, int] = {}
        self.samples: dict[int, str] = {}
        self.seen: dict[tuple[int, str], Execution] = {}
        """The latest execution by (sample, purpose)."""
        self.error = ""
        self.began = self.ended = 0.0
        self._display = display

    def begin(self, samples: int) -> None:
        """Work on the instance begins."""
        self.status, self.began = Status.RUNNING, time.monotonic()
        self.samples = dict.fromkeys(range(1, samples + 1), "waiting")
        self._display.tell(f"{self.instance_id}: begun")

    def stage(self, kind: Kind, total: int) -> None:
        """See `Observer`."""
        self.stage_name, self.totals[kind] = kind.value, total
        self._display.tell(f"{self.instance_id}: {kind}, {_STAGES[kind].format(total)}")

    def step(self, kind: Kind) -> None:
        """See `Observer`."""
        self.steps[kind] += 1

    def sample(self, number: int, state: str) -> None:
        """See `Observer`."""
        before, self.samples[number] = self.samples.get(number), state
        self.stage_name = "samples"
        if state in set(Outcome) and state != before:
            self._display.tell(f"{self.instance_id}: sample {number} {state.replace('_', ' ')}")

    def recalled(self) -> None:
        """See `Observer`."""
        self._display.totals.recalled += 1

    def call(self, response: Response, cost_usd: float | None) -> None:
        """See `Observer`."""
        totals = self._display.totals
        self._display.trouble = ""
        totals.calls += 1
        totals.replayed += response.replayed
        usage = response.usage
        if usage is not None:
            totals.prompt_tokens += usage.prompt_tokens
            totals.cached_tokens += usage.cached_tokens
            totals.completion_tokens += usage.completion_tokens
        totals.unpriced += cost_usd is None
        totals.cost_usd += cost_usd or 0.0

    def execution(self, execution: Execution, *, recalled: bool) -> None:  # noqa: ARG002
        """See `Observer`."""
        if recalled:
            self._display.totals.recalled_executions += 1
        else:
            self._display.totals.executions += 1

    def saw(self, trajectory: TrajectoryId, purpose: str, execution: Execution) -> None:
        """See `Observer`."""
        if trajectory.sample is not None:
            self.seen[trajectory.sample, purpose] = execution
