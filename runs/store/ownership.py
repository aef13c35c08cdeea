"""Who works on which instance of a run: workers, their leases, and what they may write.

A worker is one process at work on one run. It claims instances one at a time, renews its lease by
heartbeats, and writes the results of an instance only while it holds that instance: each write
checks this in its own transaction. So even if a worker is taken for gone by mistake, at most one
worker writes.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.errors import LeaseLost, StoreError
from runs.store.dialect import clock, lock
from runs.store.registry import Status
from runs.store.tables import InstanceTable, RunTable, WorkerTable, now
from sandbox.owner import is_alive, is_dead, this_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sandbox.owner import Owner


@dataclass(frozen=True, slots=True)
class Terms:
    """How a process works alongside others on one run."""

    lease_s: float
    """Seconds without a heartbeat after which others that cannot see it take it for gone."""
    take_over: bool = False
    """Take instances even from workers that are alive."""
    waits: bool = True
    """Wait for instances that others hold; if not, refuse them."""
    me: Owner = field(default_factory=this_process)
    host: str = field(default_factory=platform.node)
    """The machine's name, for people."""


@dataclass(frozen=True, slots=True)
class Worker:
    """This process at work on a run."""

    key: int
    run: int
    """The run's primary key."""
    terms: Terms


@dataclass(frozen=True, slots=True)
class Holder:
    """Another worker, as shown to people."""

    key: int
    pid: int
    host: str
    seen_s: float
    """Seconds since its last heartbeat."""

    def __str__(self) -> str:
        return f"pid {self.pid} on {self.host}" if self.host else f"pid {self.pid}"


@dataclass(frozen=True, slots=True)
class Claim:
    """An instance that a worker holds; needed to write to the instance."""

    key: int
    instance_id: str
    worker: Worker
    samples: int
    """How many samples of it are bought by now."""


def join(connection: sa.Connection, run: int, terms: Terms) -> Worker:
    """Become a worker on a run, which holds nothing yet."""
    lock(connection)
    began, me = clock(connection), terms.me
    row = {
        "run_id": run,
        "owner": str(me),
        "place": me.place,
        "pid": me.pid,
        "host": terms.host,
        "started_at": began,
        "heartbeat_at": began,
        "lease_s": terms.lease_s,
    }
    insert = sa.insert(WorkerTable).values(row).returning(WorkerTable.id)
    return Worker(connection.execute(insert).scalar_one(), run, terms)


def refuse_held(connection: sa.Connection, worker: Worker, instances: Mapping[int, str]) -> None:
    """Refuse instances (ids by key) that others hold and that this worker does not take over.

    Raises:
        StoreError: there is such an instance.
    """
    for key, holder in held_by_others(connection, worker, list(instances)).items():
        if not _yields(holder.key, worker):
            raise busy(instances[key], holder)


def busy(instance_id: str, holder: Holder) -> StoreError:
    """The error of a worker that is not to wait for an instance."""
    return StoreError(
        f"{instance_id} is being worked on by another process: {holder}, whose last sign of life"
        f" was {holder.seen_s:.0f} s ago.",
        hint="Wait for it, stop it, or take its work over with --take-over.",
    )


def _yields(holder: int, worker: Worker) -> bool:
    """Whether the holder gives way: of two workers that take over, the later one wins."""
    return worker.terms.take_over and holder < worker.key


def beat(
    connection: sa.Connection, worker: Worker, claims: Sequence[Claim]
) -> dict[Claim, LeaseLost]:
    """Renew the lease; those of the claims that are lost, and why.

    A worker that was taken for gone counts as alive again, but without what it held.
    """
    ours = sa.update(WorkerTable).where(WorkerTable.id == worker.key)
    connection.execute(ours.values(heartbeat_at=clock(connection), ended_at=None))
    wanted = InstanceTable.id.in_([claim.key for claim in claims])
    query = sa.select(InstanceTable.id, InstanceTable.worker_id).where(wanted)
    holders = {row.id: row.worker_id for row in connection.execute(query)}
    others = [claim for claim in claims if holders.get(claim.key) != worker.key]
    return {claim: _lost(connection, claim, holders.get(claim.key)) for claim in others}


def take(connection: sa.Connection, worker: Worker, instance: int) -> Holder | None:
    """Hold an instance from here on; None: done. Otherwise the worker that keeps it."""
    lock(connection)
    query = sa.select(InstanceTable.worker_id).where(InstanceTable.id == instance)
    holder = connection.execute(query.with_for_update()).scalar_one()
    if holder not in {None, worker.key}:
        found = _worker(connection, holder)
        if is_gone(found, clock(connection), worker.terms.me):
            bury(connection, holder)
        elif not _yields(holder, worker):
            return _holder(found, clock(connection))
    ours = sa.update(InstanceTable).where(InstanceTable.id == instance)
    connection.execute(ours.values(worker_id=worker.key))
    return None


def check(connection: sa.Connection, claim: Claim) -> None:
    """Make sure that the worker still holds an instance, until this transaction ends.

    Raises:
        LeaseLost: it does not.
    """
    query = sa.select(InstanceTable.worker_id).where(InstanceTable.id == claim.key)
    # A shared lock: either a taker waits until this is committed, or this sees the taker.
    holder = connection.execute(query.with_for_update(read=True)).scalar_one_or_none()
    if holder != claim.worker.key:
        raise _lost(connection, claim, holder)


def _lost(connection: sa.Connection, claim: Claim, holder: int | None) -> LeaseLost:
    """The error of a worker whose instance `holder` has now, or nobody."""
    if holder is None:
        return LeaseLost(
            f"This process no longer holds {claim.instance_id}: it was taken over, or the lease"
            " ran out.",
            hint="Give the same command again: it continues from what is stored.",
        )
    taker = _holder(_worker(connection, holder), clock(connection))
    return LeaseLost(
        f"{claim.instance_id} was taken over by {taker}.",
        hint="That process continues it from what is stored; nothing is paid for twice.",
    )


def let_go(connection: sa.Connection, claim: Claim) -> None:
    """Release an instance, if it is still held; its status and results stay."""
    _release(connection, claim.worker.key, InstanceTable.id == claim.key)


def leave(connection: sa.Connection, worker: Worker, otherwise: Status | None = None) -> None:
    """Stop working on a run: release everything, and note the run's status.

    `otherwise`: the run's status when instances are left and nobody works on them any more;
    None: unchanged.
    """
    lock(connection)
    bury(connection, worker.key)
    settle(connection, worker, otherwise)


def bury(connection: sa.Connection, worker: int) -> None:
    """Note that a worker has ended. What it was working on was interrupted."""
    _release(connection, worker)
    ended = sa.update(WorkerTable).where(WorkerTable.id == worker, WorkerTable.ended_at.is_(None))
    connection.execute(ended.values(ended_at=clock(connection)))


def _release(connection: sa.Connection, worker: int, *where: sa.ColumnElement[bool]) -> None:
    table = InstanceTable
    running, interrupted = table.status == Status.RUNNING, Status.INTERRUPTED.value
    held = sa.update(table).where(table.worker_id == worker, *where)
    status = sa.case((running, interrupted), else_=table.status)
    connection.execute(held.values(status=status, worker_id=None))


def settle(connection: sa.Connection, worker: Worker, otherwise: Status | None) -> None:
    """Note a run's status, which follows from its instances and from who else works on it."""
    of_run = InstanceTable.run_id == worker.run
    found = sa.select(InstanceTable.status).where(of_run).distinct()
    there = {Status(status) for status in connection.execute(found).scalars()}
    for other in gone(connection, worker):
        bury(connection, other)
    stored = connection.execute(sa.select(RunTable.status).where(RunTable.id == worker.run))
    status = Status(stored.scalar_one())
    if all(one.final or one is Status.FAILED for one in there):
        status = Status.FAILED if Status.FAILED in there else Status.FINISHED
        if not there and otherwise is not None:
            status = otherwise
    elif holders(connection, worker.run, worker.terms.me):
        return
    elif otherwise is not None or status is Status.RUNNING:
        status = otherwise or Status.INTERRUPTED
    ours = sa.update(RunTable).where(RunTable.id == worker.run)
    connection.execute(ours.values(status=status, finished_at=now()))


def gone(connection: sa.Connection, worker: Worker) -> list[int]:
    """The other workers on the run that ended without saying so."""
    rows, at = _open(connection, worker.run), clock(connection)
    return [row.id for row in rows if row.id != worker.key and is_gone(row, at, worker.terms.me)]


def holders(connection: sa.Connection, run: int, me: Owner | None = None) -> list[Holder]:
    """The workers that work on a run now, as far as this process can see."""
    rows, at = _open(connection, run), clock(connection)
    me = me or this_process()
    return [_holder(row, at) for row in rows if not is_gone(row, at, me)]


def held_by_others(
    connection: sa.Connection, worker: Worker, instances: Sequence[int]
) -> dict[int, Holder]:
    """Of these instances, those that other working processes hold, and their holders."""
    others = {one.key: one for one in holders(connection, worker.run, worker.terms.me)}
    table = InstanceTable
    query = sa.select(table.id, table.worker_id).where(table.run_id == worker.run)
    wanted = set(instances)
    return {
        row.id: others[row.worker_id]
        for row in connection.execute(query.where(table.worker_id.is_not(None)))
        if row.id in wanted and row.worker_id != worker.key and row.worker_id in others
    }


def is_gone(row: Any, at: datetime, me: Owner) -> bool:
    """Whether the process of a worker's row has stopped working.

    A process that can be seen from here is judged directly, never by its lease, because it may be
    suspended with its machine. The exception is this very process, which is not suspended.
    """
    if row.ended_at is not None or is_dead(row.owner, row.place, me):
        return True
    if row.owner != str(me) and is_alive(row.owner, row.place, me):
        return False
    return bool(row.heartbeat_at + timedelta(seconds=row.lease_s) < at)


def _open(connection: sa.Connection, run: int) -> Sequence[Any]:
    of_run = sa.select(WorkerTable).where(WorkerTable.run_id == run, WorkerTable.ended_at.is_(None))
    return connection.execute(of_run.order_by(WorkerTable.id)).all()


def _worker(connection: sa.Connection, key: int) -> Any:
    return connection.execute(sa.select(WorkerTable).where(WorkerTable.id == key)).one()


def _holder(row: Any, at: datetime) -> Holder:
    return Holder(row.id, row.pid, row.host, (at - row.heartbeat_at).total_seconds())
