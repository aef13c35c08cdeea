"""What the instances of one command share: slots, sandboxes, the making of workbenches."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.prices import Prices
from agent.slots import Slots
from agent.workbench import Workbench
from data.codebases.codebase import Codebase
from runs.run.unread import unread_notes
from runs.run.warnings import warnings_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager, AsyncExitStack

    from agent.model import ModelClient, ServerFacts
    from data.instances.instance import Instance
    from runs.run.config import Config
    from runs.run.display import Display
    from runs.run.stopping import Stopping
    from runs.store.ownership import Claim
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
        stopping: Stopping,
    ) -> None:
        self.store = store
        self.config = config
        self.display = display
        self.provider = provider
        self.instances = Slots(config.batch.instances)
        self._client = client
        self._stopping = stopping
        self._calls = Slots(config.batch.model_calls)
        slots = provider.slots(config.limits) if provider else 1
        self._executions = Slots(config.batch.executions or slots, fair=True)
        self._prices = Prices(config.prices)
        self._told: set[tuple[str, str]] = set()

    def show(self, stack: AsyncExitStack, title: str) -> None:
        """Show what happens, from now until the stack is left."""
        self.display.title = title
        stack.enter_context(self.display)
        stack.enter_context(warnings_to(self.display.note))

    async def get_ready(self, stack: AsyncExitStack, *models: str) -> None:
        """Check the model server and the sandbox before work begins, and say what they are.

        `models`: further models that the server must have.

        Raises:
            ModelError: the server cannot be used.
            SandboxError: there is no engine.
        """
        if self._client is not None:
            _warn_of_size(
                await self._client.check(self.config.model.name), self.config, self.display
            )
            for model in models:
                await self._client.check(model)
        if self.provider is not None:
            await stack.enter_async_context(self.provider)
            self.display.note(f"Scripts run in: {self.provider.describe()}")

    @asynccontextmanager
    async def bench(
        self, order: int, run: str, given: Instance, claim: Claim
    ) -> AsyncIterator[Workbench]:
        """The workbench of one instance, on a sandbox that is closed at the end.

        Raises:
            SandboxError: it cannot be opened.
            UsageError: its codebase has changed since the run began.
        """
        sandbox = await self._open(given, run)
        try:
            codebase = await sandbox.read_codebase(self.config.context.largest_file)
            await self.store.check_codebase(claim, codebase.digest)
            self._tell_unread(given, codebase)
            yield self._bench(order, given, claim, codebase=codebase, sandbox=sandbox)
        finally:
            await sandbox.close()

    def bare_bench(self, order: int, given: Instance, claim: Claim) -> Workbench:
        """A workbench without a sandbox, which can only ask the model."""
        return self._bench(order, given, claim, codebase=Codebase("", {}), sandbox=None)

    def _bench(
        self,
        order: int,
        given: Instance,
        claim: Claim,
        *,
        codebase: Codebase,
        sandbox: Sandbox | None,
    ) -> Workbench:
        return Workbench(
            given,
            codebase,
            client=self._client,
            sandbox=sandbox,
            journal=self.store.journal(claim),
            observer=self.display.observer(claim.instance_id, claim.samples),
            prices=self._prices,
            model_slots=self._calls,
            sandbox_slots=self._executions,
            limits=self.config.limits,
            priority=order,
        )

    def _tell_unread(self, given: Instance, codebase: Codebase) -> None:
        """Say once which files the model does not see although a person may expect it."""
        if not self.config.samples_ask_model:
            return
        for note in unread_notes(codebase, self.config.context.largest_file):
            if (given.repo, note) not in self._told:
                self._told.add((given.repo, note))
                self.display.note(f"{given.instance_id}: {note}")

    async def _open(self, given: Instance, run: str) -> Sandbox:
        loop, display = asyncio.get_running_loop(), self.display

        def tell(waits_for: str) -> None:
            loop.call_soon_threadsafe(display.opening, given.instance_id, waits_for)

        assert self.provider is not None  # noqa: S101 - who opens sandboxes gave one
        return await self._stopping.unless_asked(self.provider.open(given, run=run, tell=tell))

    def interruptible(self) -> AbstractContextManager[None]:
        """While inside, a request to stop lets what is in flight end; see `Stopping`."""
        return self._stopping.working(
            instances=self.instances, calls=self._calls, scripts=self._executions
        )


def _warn_of_size(facts: ServerFacts, config: Config, display: Display) -> None:
    """Warn if conversations may outgrow the context size that the server reports."""
    wanted = config.context.tokens + 2 * config.samples.editing_max_tokens
    if facts.context_tokens is not None and wanted > facts.context_tokens:
        fitting = max(facts.context_tokens - 2 * config.samples.editing_max_tokens, 1000)
        display.note(
            f"The model's context is {facts.context_tokens:,} tokens. If samples end with"
            f" 'context exceeded', give --context-tokens {fitting}"
        )
