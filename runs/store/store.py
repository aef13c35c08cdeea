"""The store as a batch uses it: asynchronous, with one writer and errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from runs.store import instances, ownership, registry, results
from runs.store.database import open_database, translated
from runs.store.journal import StoreJournal, load_recorded
from runs.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    import sqlalchemy as sa

    from agent.strategies.protocol import Sample
    from data.errors import LeaseLost
    from data.instances.instance import Instance
    from runs.store.instances import Ended
    from runs.store.ownership import Claim, Holder, Terms, Worker
    from runs.store.registry import InstanceHandle, RunHandle, RunSpec, Status
    from selection.solution import Solution

T = TypeVar("T")


class Store:
    """A database for writing. Every method raises `StoreError` if the database fails."""

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

    async def begin(
        self, spec: RunSpec, given: Sequence[Instance], terms: Terms, *, fresh: bool
    ) -> tuple[RunHandle, Worker, list[InstanceHandle]]:
        """Create the run or continue it, with these instances, as one of its workers.

        With an error, nothing is changed.

        Raises:
            UsageError: see `begin_run` and `enter`.
            StoreError: others hold an instance, and this process is not to wait for them.
        """

        def work(connection: sa.Connection) -> tuple[RunHandle, Worker, list[InstanceHandle]]:
            run = _begin(connection, spec, fresh=fresh)
            rows = self._enter(connection, run, given)
            worker = ownership.join(connection, run.key, terms)
            if not terms.waits:
                ownership.refuse_held(
                    connection, worker, {row.key: row.instance_id for row in rows}
                )
            return run, worker, rows

        return await self._write(work)

    async def begin_run(self, spec: RunSpec, *, fresh: bool) -> RunHandle:
        """Create the run or continue it; see `registry.begin_run`."""
        return await self._write(lambda c: _begin(c, spec, fresh=fresh))

    async def join(self, run: RunHandle, terms: Terms) -> Worker:
        """Become a worker on the run; see `ownership.join`."""
        return await self._write(lambda c: ownership.join(c, run.key, terms))

    def beat(self, worker: Worker, claims: Sequence[Claim]) -> dict[Claim, LeaseLost]:
        """Renew the lease; see `ownership.beat`. Blocks briefly, for a thread of its own."""
        return self._writer.write_now(lambda c: ownership.beat(c, worker, claims))

    def leave(self, worker: Worker, otherwise: Status | None = None) -> None:
        """Stop working on the run; see `ownership.leave`. Blocks briefly."""
        self._writer.write_now(lambda c: ownership.leave(c, worker, otherwise))

    async def held_by_others(self, worker: Worker, keys: Sequence[int]) -> dict[int, Holder]:
        """Which of these instances others hold; see `ownership.held_by_others`."""
        return await self._write(lambda c: ownership.held_by_others(c, worker, keys))

    async def find_run(self, name: str) -> RunHandle:
        """A stored run, to add to it."""
        return await self._write(lambda c: registry.find_run(c, name))

    async def find(
        self, run: RunHandle, instance_id: str, given: Instance | None = None
    ) -> InstanceHandle:
        """An instance that the run has; see `instances.find_instance`."""
        return await self._write(lambda c: instances.find_instance(c, run, instance_id, given))

    async def enter(self, run: RunHandle, given: Sequence[Instance]) -> list[InstanceHandle]:
        """Instances in the run; see `instances.enter_instance`."""
        return await self._write(lambda c: self._enter(c, run, given))

    def _enter(
        self, connection: sa.Connection, run: RunHandle, given: Sequence[Instance]
    ) -> list[InstanceHandle]:
        known = self._writer.known
        return [instances.enter_instance(connection, run, one, known) for one in given]

    async def claim(
        self, worker: Worker, row: InstanceHandle, given: Instance | None = None
    ) -> Claim | Holder | Ended:
        """Claim an instance; see `instances.claim_instance`."""
        return await self._write(lambda c: instances.claim_instance(c, worker, row, given))

    async def claim_ended(
        self, worker: Worker, row: InstanceHandle, given: Instance | None = None
    ) -> Claim | Holder:
        """Claim an instance to add to it; see `instances.claim_ended`."""
        return await self._write(lambda c: instances.claim_ended(c, worker, row, given))

    async def let_go(self, claim: Claim) -> None:
        """Release an instance; see `ownership.let_go`."""
        await self._write(lambda c: ownership.let_go(c, claim))

    # The methods below write results of an instance. If this worker no longer holds it, they
    # write nothing and raise `LeaseLost`.

    async def mark(self, claim: Claim, status: Status, error: str = "") -> None:
        """Note the status of an instance. Unless it is running, it is released."""
        await self._held(
            claim, lambda c: instances.mark_instance(c, claim.key, status, error=error)
        )

    async def check_codebase(self, claim: Claim, digest: str) -> None:
        """Compare the codebase with the one that the run began with."""
        await self._held(claim, lambda c: instances.check_codebase(c, claim.key, digest))

    async def save_sample(self, claim: Claim, sample: Sample) -> None:
        """Store how a sample ended."""
        known = self._writer.known
        await self._held(claim, lambda c: results.save_sample(c, claim.key, sample, known))

    async def save_solution(self, claim: Claim, solution: Solution) -> None:
        """Store the results of an instance, and release it."""
        known = self._writer.known
        await self._held(claim, lambda c: results.save_solution(c, claim.key, solution, known))

    def journal(self, claim: Claim) -> StoreJournal:
        """The instance's journal, with everything that is recorded."""
        with translated(self.url), self._engine.connect() as connection:
            recorded = load_recorded(connection, claim.key)
        return StoreJournal(self._writer, claim, recorded)

    async def write(self, work: Callable[[sa.Connection, set[str]], T]) -> T:
        """Write something that no claim protects. `work` also gets the digests of known texts."""
        return await self._write(lambda c: work(c, self._writer.known))

    async def _held(self, claim: Claim, work: Callable[[sa.Connection], T]) -> T:
        def held(connection: sa.Connection) -> T:
            ownership.check(connection, claim)
            return work(connection)

        return await self._write(held)

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._writer.write(work)


def _begin(connection: sa.Connection, spec: RunSpec, *, fresh: bool) -> RunHandle:
    def busy(run: int) -> bool:
        return bool(ownership.holders(connection, run))

    return registry.begin_run(connection, spec, fresh=fresh, busy=busy)
