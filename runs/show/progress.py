"""Live progress of one instance and what was spent: the numbers behind the display."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.journal import Kind
from agent.sample import Outcome
from runs.store.registry import Status

if TYPE_CHECKING:
    from agent.journal import TrajectoryId
    from agent.model import Response
    from agent.prices import Prices
    from runs.run.config import Config
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


class Progress:
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
        self._models: Prices | None = None
        self._config: Config | None = None

    def begin(self, config: Config, prices: Prices) -> None:
        """Work on the instance begins."""
        self._config, self._models = config, prices
        self.status, self.began = Status.RUNNING, time.monotonic()
        count = config.samples.count if config.samples.strategy != "none" else 0
        self.samples = dict.fromkeys(range(1, count + 1), "waiting")
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

    def call(self, response: Response, *, kind: Kind, recalled: bool) -> None:
        """See `Observer`."""
        totals = self._display.totals
        if recalled:
            totals.recalled += 1
            return
        self._display.trouble = ""
        totals.calls += 1
        totals.replayed += response.replayed
        usage = response.usage
        if usage is not None:
            totals.prompt_tokens += usage.prompt_tokens
            totals.cached_tokens += usage.cached_tokens
            totals.completion_tokens += usage.completion_tokens
        cost = self._models.cost(self._model(kind), usage) if self._models else None
        totals.unpriced += cost is None
        totals.cost_usd += cost or 0.0

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

    def _model(self, kind: Kind) -> str:
        assert self._config is not None  # noqa: S101 - `begin` was called before any effect
        if kind is Kind.RELEVANCE and self._config.context.model:
            return self._config.context.model
        return self._config.model.name
