"""The store as a batch uses it: asynchronous, one writer, errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

import sqlalchemy as sa

from runs.store import instances, registry, results
from runs.store.database import open_database, translated
from runs.store.journal import StoreJournal, load_recorded
from runs.store.registry import InstanceHandle, RunHandle, RunSpec, Status
from runs.store.tables import InstanceTable
from runs.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from agent.strategies.protocol import Sample
    from data.instances.instance import Instance
    from selection.solution import Solution

T = TypeVar("T")


class Store:
    """A database for writing. Every method raises `StoreError` when the database fails."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_database(url)
        self._writer = Writer(self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is queued and close the database. Safe to call twice."""
        self._writer.close()
        self._engine.dispose()

    async def begin_run(
        self, spec: RunSpec, *, fresh: bool, alive: Callable[[str], bool]
    ) -> RunHandle:
        """Make the run or take it up again; see `registry.begin_run`."""
        return await self._write(lambda c: registry.begin_run(c, spec, fresh=fresh, alive=alive))

    async def claim(self, name: str, owner: str, alive: Callable[[str], bool]) -> RunHandle:
        """Take hold of a stored run to add to it; see `registry.claim_run`."""
        return await self._write(lambda c: registry.claim_run(c, name, owner, alive))

    async def find(
        self, run: RunHandle, instance_id: str, given: Instance | None = None
    ) -> InstanceHandle:
        """An instance that the run holds; see `instances.find_instance`."""
        return await self._write(lambda c: instances.find_instance(c, run, instance_id, given))

    async def enter(self, run: RunHandle, given: list[Instance]) -> list[InstanceHandle]:
        """Instances in the run; see `instances.enter_instance`."""

        def work(connection: sa.Connection) -> list[InstanceHandle]:
            self._writer.keys.clear()  # trajectories may get another key
            known = self._writer.known
            return [instances.enter_instance(connection, run, one, known) for one in given]

        return await self._write(work)

    async def mark(self, instance: InstanceHandle, status: Status, error: str = "") -> None:
        """Note what an instance has come to."""
        await self._write(lambda c: instances.mark_instance(c, instance.key, status, error=error))

    async def check_codebase(self, instance: InstanceHandle, digest: str) -> None:
        """Hold the codebase against the one that the run began with."""
        await self._write(lambda c: instances.check_codebase(c, instance.key, digest))

    async def save_sample(self, instance: InstanceHandle, sample: Sample) -> None:
        """Store how a sample ended."""
        known = self._writer.known
        await self._write(lambda c: results.save_sample(c, instance.key, sample, known))

    async def save_solution(self, instance: InstanceHandle, solution: Solution) -> None:
        """Store what an instance came to."""
        known = self._writer.known
        await self._write(lambda c: results.save_solution(c, instance.key, solution, known))

    async def write(self, work: Callable[[sa.Connection, set[str]], T]) -> T:
        """Write what is not a run's own; `work` also gets the digests of known texts."""
        return await self._write(lambda c: work(c, self._writer.known))

    def journal(self, instance: InstanceHandle) -> StoreJournal:
        """The instance's journal, with all that is recorded."""
        with translated(self.url), self._engine.connect() as connection:
            recorded = load_recorded(connection, instance.key)
        return StoreJournal(self._writer, instance.key, recorded)

    def end_run(self, run: RunHandle, status: Status) -> None:
        """Note how a run ended; what is left running in it was interrupted. Blocks briefly."""

        def work(connection: sa.Connection) -> None:
            registry.end_run(connection, run.key, status)
            table = InstanceTable
            running = (table.run_id == run.key) & (table.status == Status.RUNNING)
            connection.execute(sa.update(table).where(running).values(status=Status.INTERRUPTED))

        self._writer.write_now(work)

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._writer.write(work)
