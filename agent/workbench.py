"""The workbench of one instance: every effect of its trajectories goes through here.

It looks in the journal first, waits for a free slot, does the work, records
it, and only then returns the result.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.model import ModelRequest, Reply
from agent.observer import Doing, Effect
from agent.scripts import check_trial, language_of, trial
from data.errors import StoreError
from data.patches.applying import lay
from data.patches.patch import UNEDITED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from agent.journal import Journal, TrajectoryId, TurnPrompt
    from agent.model import ModelClient
    from agent.observer import Observer
    from agent.prices import Prices
    from agent.slots import Slots
    from data.codebases.codebase import Codebase
    from data.instances.instance import Instance
    from data.patches.patch import Patch
    from sandbox.protocol import Execution, Limits, Sandbox, Script


class NotRecordedError(Exception):
    """A workbench that only recalls was asked for an effect that is not recorded."""


class Workbench:
    """Effects of one instance: model calls and executions, journaled and bounded."""

    def __init__(
        self,
        instance: Instance,
        codebase: Codebase,
        *,
        client: ModelClient | None,
        sandbox: Sandbox | None,
        journal: Journal,
        observer: Observer,
        prices: Prices,
        model_slots: Slots,
        sandbox_slots: Slots,
        limits: Limits,
        priority: int = 0,
    ) -> None:
        self.instance = instance
        self.codebase = codebase
        self.language = language_of(instance, codebase)
        self.observer = observer
        self.journal = journal
        self.limits = limits
        self._client = client
        """None: the model is not asked."""
        self._sandbox = sandbox
        """None: nothing is executed."""
        self._prices = prices
        self._model_slots = model_slots
        self._sandbox_slots = sandbox_slots
        self._priority = priority
        self._running: dict[tuple[Script, str, int], tuple[asyncio.Future[Execution], Effect]] = {}

    @property
    def only_recalls(self) -> bool:
        """Whether it only gives what is recorded."""
        return self._client is None and self._sandbox is None

    async def try_sandbox(self) -> None:
        """Run a script of the kind that will come, so that a missing program is found at once.

        Raises:
            SandboxUnavailable: there is no interpreter for it, or nothing to build with.
            SandboxError: the engine failed.
            Interrupted: a person asked to stop.
        """
        assert self._sandbox is not None  # noqa: S101 - such a bench has no scripts to come
        async with self._sandbox_slot(Effect()):
            tried = await self._sandbox.execute(trial(self.language), UNEDITED, self.limits)
        check_trial(tried, self.language, self.instance.environment)

    def recall(self, turn: TurnPrompt) -> Reply | None:
        """The recorded reply of this turn, or None.

        Raises:
            StoreError: the journal holds a reply to another request under this turn.
        """
        found = self.journal.recall_turn(turn.trajectory.key, turn.turn)
        if found is None:
            return None
        if found.digest != turn.digest:
            raise StoreError(
                f"{self.instance.instance_id}: turn {turn.turn} of {turn.trajectory.key} was"
                " recorded for another request: the prompts, the codebase or the configuration"
                " have changed.",
                hint="Finish the run with the version that began it, or begin again with --fresh.",
            )
        self.observer.recalled()
        return found.reply

    async def call(self, request: ModelRequest, turns: Sequence[TurnPrompt]) -> list[Reply]:
        """Ask the model; `turns[i]` takes reply i. Fewer replies may come than were asked for.

        This is the only place where a call is made, priced and recorded.

        Raises:
            ModelError: the server cannot be used.
            ContextExceeded, RequestRejected: an outcome of the trajectory.
            Interrupted: a person asked to stop.
            NotRecordedError: no model is asked here.
        """
        if self._client is None:
            raise NotRecordedError
        effect = Effect([turn.trajectory for turn in turns])
        async with self._slot(self._model_slots, effect, Doing.CALL_SLOT, Doing.MODEL):
            response = await self._client.complete(request)
            cost = self._prices.cost(request.model, response.usage)
            served = list(turns[: len(response.choices)])
            await self.journal.record_call(request, response, served, cost)
        self.observer.call(response, cost)
        return [Reply(choice, response.usage, cost) for choice in response.choices]

    async def execute(
        self,
        script: Script,
        patch: Patch,
        *,
        trajectory: TrajectoryId,
        turn: int,
        purpose: str,
        repeat: int = 0,
    ) -> Execution:
        """Run `script` on `patch`, once per instance, however many ask for it.

        A `repeat` above 0 is another execution of the same pair, to see whether the verdict stays.

        Raises:
            SandboxError: the engine failed.
            UsageError: a stored patch no longer fits the codebase.
            Interrupted: a person asked to stop.
            NotRecordedError: nothing is executed here.
        """
        execution = await self._execute_once(script, patch, repeat, trajectory)
        await self.journal.record_use(trajectory, turn, purpose, script, patch, repeat=repeat)
        self.observer.saw(trajectory, purpose, execution)
        return execution

    async def _execute_once(
        self, script: Script, patch: Patch, repeat: int, trajectory: TrajectoryId
    ) -> Execution:
        recalled = self.journal.recall_execution(script, patch, repeat)
        if recalled is not None:
            self.observer.execution(recalled, recalled=True)
            return recalled
        key = (script, patch.digest, repeat)
        if key not in self._running:
            effect = Effect()
            future = asyncio.ensure_future(self._execute(script, patch, repeat, effect))
            self._running[key] = future, effect
            future.add_done_callback(lambda _: self._running.pop(key, None))
        running, effect = self._running[key]
        effect.trajectories.append(trajectory)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            raise

    async def _execute(
        self, script: Script, patch: Patch, repeat: int, effect: Effect
    ) -> Execution:
        if self._sandbox is None:
            raise NotRecordedError
        if patch.laid is None:
            patch = await asyncio.to_thread(lay, patch, self.codebase)
        async with self._sandbox_slot(effect):
            execution = await self._sandbox.execute(script, patch, self.limits)
            await self.journal.record_execution(script, patch, execution, repeat)
        self.observer.execution(execution, recalled=False)
        return execution

    def _sandbox_slot(self, effect: Effect) -> AbstractAsyncContextManager[None]:
        return self._slot(self._sandbox_slots, effect, Doing.SANDBOX_SLOT, Doing.SCRIPT)

    @asynccontextmanager
    async def _slot(
        self, slots: Slots, effect: Effect, waiting: Doing, working: Doing
    ) -> AsyncIterator[None]:
        """Hold a slot. Observers see the wait for it and the work in it separately."""
        self.observer.doing(effect, waiting)
        try:
            async with slots.hold(self._priority):
                self.observer.doing(effect, working)
                yield
        finally:
            self.observer.doing(effect, Doing.OVER)
