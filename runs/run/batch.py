"""Drives the instances of a run: bounded, resumable, stoppable."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.slots import Interrupted, together
from data.errors import SandboxError, TroopError, UsageError
from data.patches.applying import apply_diff
from runs.run.solve import solve_instance
from runs.run.workshop import Workshop
from runs.store.registry import Status
from selection.candidates import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.model import ModelClient
    from data.codebases.codebase import Codebase
    from data.instances.instance import Instance
    from data.predictions.predictions import Prediction
    from runs.run.config import Config
    from runs.show.live import Display
    from runs.store.registry import InstanceHandle, RunHandle
    from runs.store.store import Store
    from sandbox.protocol import SandboxProvider


class Ending(enum.StrEnum):
    """How a run came to its end."""

    FINISHED = "finished"
    """Every instance was brought to its end."""
    FAILED = "failed"
    """Something around some instances broke; the same command tries those again."""
    INTERRUPTED = "interrupted"
    """A person stopped it; the same command goes on."""


@dataclass(slots=True)
class Tally:
    """What a run has come to."""

    ending: Ending = Ending.FINISHED
    errors: dict[str, TroopError] = field(default_factory=dict)
    """By instance id, for those that failed."""


class Engine:
    """Runs `solve_instance` over many instances."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        client: ModelClient | None,
        provider: SandboxProvider,
        display: Display,
        stop: asyncio.Event,
        outside: Mapping[str, Sequence[Prediction]],
        outside_tests: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        self._store = store
        self._config = config
        self._provider = provider
        self._display = display
        self._outside = outside
        self._outside_tests = outside_tests
        self._workshop = Workshop(
            store, config, client=client, provider=provider, display=display, stop=stop
        )
        self._tally = Tally()

    async def run(
        self, run: RunHandle, instances: Sequence[Instance], rows: Sequence[InstanceHandle]
    ) -> Tally:
        """Bring every instance to its end that is not there yet.

        One instance's failure does not stop the others. Ctrl-C once finishes what
        is in flight, twice stops at once; both leave a run that can be resumed.

        Raises:
            ModelError: the model server cannot be used; the run can be resumed.
            StoreError: the database failed.
        """
        ending = Status.FAILED
        try:
            with self._workshop.interruptible():
                for row in rows:
                    self._display.enter(row.instance_id, row.status)
                pairs = zip(instances, rows, strict=True)
                work = [(given, row) for given, row in pairs if not row.status.final]
                if work:
                    self._provider.expect([given for given, _ in work])
                await together(*(self._one(n, run, *pair) for n, pair in enumerate(work)))
            ending = Status(self._tally.ending)
        except (Interrupted, asyncio.CancelledError):
            self._tally.ending = Ending.INTERRUPTED
            ending = Status.INTERRUPTED
        finally:
            self._store.end_run(run, ending)
        return self._tally

    async def _one(self, order: int, run: RunHandle, given: Instance, row: InstanceHandle) -> None:
        try:
            async with self._workshop.instances.hold(order):
                await self._store.mark(row, Status.RUNNING)
                await self._solve(order, run, given, row)
        except (SandboxError, UsageError) as error:
            self._tally.ending = Ending.FAILED
            self._tally.errors[row.instance_id] = error
            self._display.ended(row.instance_id, Status.FAILED, error.message)
            await self._store.mark(row, Status.FAILED, error.message)

    async def _solve(
        self, order: int, run: RunHandle, given: Instance, row: InstanceHandle
    ) -> None:
        async with self._workshop.bench(order, run.name, given, row) as bench:
            tests = self._outside_tests.get(given.instance_id, ())
            if tests or self._config.asks_model:
                await bench.try_sandbox()
            outside = await asyncio.to_thread(self._outside_entries, given, bench.codebase)
            solution = await solve_instance(
                bench,
                self._config,
                outside,
                lambda sample: self._store.save_sample(row, sample),
                tests,
            )
            await self._store.save_solution(row, solution)
        status = Status.SOLVED if solution.decision else Status.UNSOLVED
        self._display.ended(row.instance_id, status, "")

    def _outside_entries(self, given: Instance, codebase: Codebase) -> list[Entry]:
        """Other systems' candidates; one that cannot be used is told, and left out."""
        entries = []
        for prediction in self._outside.get(given.instance_id, ()):
            try:
                applied = apply_diff(prediction.model_patch, codebase)
            except UsageError as error:
                self._display.note(
                    f"{given.instance_id}: the candidate of {prediction.model_name_or_path}"
                    f" is left out: {error.message}"
                )
            else:
                for note in applied.notes:
                    self._display.note(
                        f"{given.instance_id}: {prediction.model_name_or_path}: {note}"
                    )
                entries.append(Entry(applied.patch, source=prediction.model_name_or_path))
        return entries
