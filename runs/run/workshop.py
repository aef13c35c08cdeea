"""What the instances of one command share: slots, sandboxes, the way to a workbench, Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from agent.prices import Prices
from agent.slots import Slots
from agent.workbench import Workbench
from data.codebases.codebase import Codebase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent.model import ModelClient
    from data.instances.instance import Instance
    from runs.run.config import Config
    from runs.show.live import Display
    from runs.store.registry import InstanceRow
    from runs.store.store import Store
    from sandbox.protocol import Sandbox, SandboxProvider


class Workshop:
    """Opens workbenches for the instances of a run, bounded and stoppable together."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        client: ModelClient | None,
        provider: SandboxProvider | None,
        display: Display,
        stop: asyncio.Event,
    ) -> None:
        self.display = display
        self.instances = Slots(config.batch.instances)
        self._store = store
        self._config = config
        self._client = client
        self._provider = provider
        self._stop = stop
        self._calls = Slots(config.batch.model_calls)
        slots = provider.slots(config.limits) if provider else 1
        executions = config.batch.executions or slots
        self._executions = Slots(executions, fair=True)
        self._prices = Prices(config.prices)

    @asynccontextmanager
    async def bench(
        self, order: int, run: str, given: Instance, row: InstanceRow
    ) -> AsyncIterator[Workbench]:
        """The workbench of one instance, on a sandbox that is closed at the end.

        Raises:
            SandboxError: it cannot be opened.
            UsageError: its codebase is another than the run began with.
        """
        sandbox = await self._open(given, run)
        try:
            codebase = await sandbox.read_codebase()
            await self._store.check_codebase(row, codebase.digest)
            yield self._bench(order, given, row, codebase, sandbox)
        finally:
            await sandbox.close()

    def bare_bench(self, order: int, given: Instance, row: InstanceRow) -> Workbench:
        """A workbench without a sandbox: only the model can be asked at it."""
        return self._bench(order, given, row, Codebase("", {}), None)

    def _bench(
        self,
        order: int,
        given: Instance,
        row: InstanceRow,
        codebase: Codebase,
        sandbox: Sandbox | None,
    ) -> Workbench:
        return Workbench(
            given,
            codebase,
            client=self._client,
            sandbox=sandbox,
            journal=self._store.journal(row, self._prices),
            observer=self.display.observer(row.instance_id, self._config, self._prices),
            model_slots=self._calls,
            sandbox_slots=self._executions,
            limits=self._config.limits,
            priority=order,
        )

    async def _open(self, given: Instance, run: str) -> Sandbox:
        loop, display = asyncio.get_running_loop(), self.display

        def tell(waits_for: str) -> None:
            loop.call_soon_threadsafe(display.opening, given.instance_id, waits_for)

        assert self._provider is not None  # noqa: S101 - who opens sandboxes gave one
        return await self._provider.open(given, run=run, tell=tell)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C once: nothing new begins. Twice: everything is cancelled."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        pressed = 0

        def interrupt() -> None:
            nonlocal pressed
            pressed += 1
            if pressed == 1:
                self.display.note(
                    "stopping: calls and scripts in flight are finished and stored"
                    " (Ctrl-C again stops at once)"
                )
                self._stop.set()
                for slots in (self.instances, self._calls, self._executions):
                    slots.stop()
            elif task is not None:
                self.display.note("stopping at once")
                task.cancel()

        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, interrupt)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
