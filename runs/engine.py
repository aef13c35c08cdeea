"""Drives the instances of a run: bounded, resumable, stoppable."""

from __future__ import annotations

import asyncio
import enum
import signal
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.slots import Interrupted, Slots, together
from agent.workbench import Workbench
from data.applying import apply_diff
from data.errors import SandboxError, TroopError, UsageError
from runs.prices import Prices
from runs.solve import solve_instance
from runs.store.registry import Status
from selection.candidates import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent.model import ModelClient
    from data.codebase import Codebase
    from data.instance import Instance
    from data.predictions import Prediction
    from runs.config import Config
    from runs.live import Display
    from runs.store.registry import InstanceRow, RunRow
    from runs.store.store import Store
    from sandbox.protocol import Sandbox, SandboxProvider


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
        client: ModelClient,
        provider: SandboxProvider,
        display: Display,
        stop: asyncio.Event,
        outside: Mapping[str, Sequence[Prediction]],
    ) -> None:
        self._store = store
        self._config = config
        self._client = client
        self._provider = provider
        self._display = display
        self._stop = stop
        self._outside = outside
        settings = config.engine
        self._instances = Slots(settings.instances)
        self._calls = Slots(settings.model_calls)
        self._executions = Slots(settings.executions or provider.slots(config.limits), fair=True)
        self._prices = Prices(config.prices)
        self._tally = Tally()

    async def run(
        self, run: RunRow, instances: Sequence[Instance], rows: Sequence[InstanceRow]
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
            with self._interruptible():
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

    async def _one(self, order: int, run: RunRow, given: Instance, row: InstanceRow) -> None:
        try:
            async with self._instances.hold(order):
                await self._store.mark(row, Status.RUNNING)
                await self._solve(order, run, given, row)
        except (SandboxError, UsageError) as error:
            self._tally.ending = Ending.FAILED
            self._tally.errors[row.instance_id] = error
            self._display.ended(row.instance_id, Status.FAILED, error.message)
            await self._store.mark(row, Status.FAILED, error.message)

    async def _solve(self, order: int, run: RunRow, given: Instance, row: InstanceRow) -> None:
        sandbox = await self._open(given, run)
        try:
            codebase = await sandbox.read_codebase()
            await self._store.check_codebase(row, codebase.digest)
            bench = Workbench(
                given,
                codebase,
                client=self._client,
                sandbox=sandbox,
                journal=self._store.journal(row, self._prices),
                observer=self._display.observer(row.instance_id, self._config, self._prices),
                model_slots=self._calls,
                sandbox_slots=self._executions,
                limits=self._config.limits,
                priority=order,
            )
            await bench.try_sandbox()
            outside = await asyncio.to_thread(self._outside_entries, given, codebase)
            solution = await solve_instance(
                bench, self._config, outside, lambda sample: self._store.save_sample(row, sample)
            )
            await self._store.save_solution(row, solution)
        finally:
            await sandbox.close()
        status = Status.SOLVED if solution.decision else Status.UNSOLVED
        self._display.ended(row.instance_id, status, "")

    async def _open(self, given: Instance, run: RunRow) -> Sandbox:
        loop, display = asyncio.get_running_loop(), self._display

        def tell(waits_for: str) -> None:
            loop.call_soon_threadsafe(display.opening, given.instance_id, waits_for)

        return await self._provider.open(given, run=run.name, tell=tell)

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

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C once: nothing new begins. Twice: everything is cancelled."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        pressed = 0

        def interrupt() -> None:
            nonlocal pressed
            pressed += 1
            if pressed == 1:
                self._display.note(
                    "stopping: calls and scripts in flight are finished and stored"
                    " (Ctrl-C again stops at once)"
                )
                self._stop.set()
                for slots in (self._instances, self._calls, self._executions):
                    slots.stop()
            elif task is not None:
                self._display.note("stopping at once")
                task.cancel()

        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, interrupt)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
