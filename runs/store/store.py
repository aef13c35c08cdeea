"""The store as the engine uses it: asynchronous, one writer, errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

import sqlalchemy as sa

from runs.grading import stored as grades
from runs.store import registry, results
from runs.store.database import open_database, translated
from runs.store.journal import StoreJournal, load_recorded
from runs.store.registry import InstanceRow, RunRow, RunSpec, Status
from runs.store.tables import Instance
from runs.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from agent.prices import Prices
    from agent.sample import SampleResult
    from data.instances.instance import Instance as Given
    from runs.grading.nouns import Grade
    from runs.run.solve import Solution

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
    ) -> RunRow:
        """Make the run or take it up again; see `registry.begin_run`."""
        return await self._write(lambda c: registry.begin_run(c, spec, fresh=fresh, alive=alive))

    async def claim(self, name: str, owner: str, alive: Callable[[str], bool]) -> RunRow:
        """Take hold of a stored run to add to it; see `registry.claim_run`."""
        return await self._write(lambda c: registry.claim_run(c, name, owner, alive))

    async def find(self, run: RunRow, instance_id: str) -> InstanceRow:
        """The row of an instance that the run holds."""
        return await self._write(lambda c: registry.find_instance(c, run, instance_id))

    async def enter(self, run: RunRow, instances: list[Given]) -> list[InstanceRow]:
        """The rows of `instances` in the run, made at first need."""
        known = self._writer.known
        return await self._write(
            lambda c: [registry.enter_instance(c, run, given, known) for given in instances]
        )

    async def mark(self, instance: InstanceRow, status: Status, error: str = "") -> None:
        """Note what an instance has come to."""
        await self._write(lambda c: registry.mark_instance(c, instance.key, status, error=error))

    async def check_codebase(self, instance: InstanceRow, digest: str) -> None:
        """Hold the codebase against the one that the run began with."""
        await self._write(lambda c: registry.check_codebase(c, instance.key, digest))

    async def save_sample(self, instance: InstanceRow, result: SampleResult) -> None:
        """Store how a sample ended."""
        known = self._writer.known
        await self._write(lambda c: results.save_sample(c, instance.key, result, known))

    async def save_solution(self, instance: InstanceRow, solution: Solution) -> None:
        """Store what an instance came to."""
        known = self._writer.known
        await self._write(lambda c: results.save_solution(c, instance.key, solution, known))

    async def save_grade(self, grade: Grade, judge: tuple[str, str], timeout_s: float) -> None:
        """Store what a judge says of a patch."""
        known = self._writer.known
        await self._write(lambda c: grades.save_grade(c, grade, judge, timeout_s, known))

    def journal(self, instance: InstanceRow, prices: Prices) -> StoreJournal:
        """The instance's journal, with all that is recorded."""
        with translated(self.url), self._engine.connect() as connection:
            recorded = load_recorded(connection, instance.key)
        return StoreJournal(self._writer, instance.key, recorded, prices)

    def end_run(self, run: RunRow, status: Status) -> None:
        """Note how a run ended; what is left running in it was interrupted. Blocks briefly."""

        def work(connection: sa.Connection) -> None:
            registry.end_run(connection, run.key, status)
            running = (Instance.run_id == run.key) & (Instance.status == Status.RUNNING)
            connection.execute(sa.update(Instance).where(running).values(status=Status.INTERRUPTED))

        self._writer.close()
        with translated(self.url), self._engine.begin() as connection:
            work(connection)

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._writer.write(work)
