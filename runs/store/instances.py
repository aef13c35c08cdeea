"""The instances of a run: entering, claiming, growing, ending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from agent.journal import Kind
from data.errors import UsageError
from runs.store.blobs import get_text, put_text
from runs.store.differences import of_instance
from runs.store.environments import environment_text
from runs.store.ownership import Claim, Holder, holders, take
from runs.store.registry import InstanceHandle, Status
from runs.store.removal import untouched
from runs.store.tables import InstanceTable, RunTable, SampleTable, TrajectoryTable, now

if TYPE_CHECKING:
    from data.instances.instance import Instance
    from runs.store.ownership import Worker
    from runs.store.registry import RunHandle


@dataclass(frozen=True, slots=True)
class Ended:
    """How an instance ended on which nothing is left to do."""

    status: Status
    error: str
    """Why it failed."""


CHOOSING = (Kind.SELECTION.value, Kind.JUDGE.value)
"""The keys of the trajectories by which the run itself chooses (`selection.selectors.asking`)."""
_UNHELD = InstanceTable.worker_id.is_(None)


def enter_instance(
    connection: sa.Connection, run: RunHandle, given: Instance, known: set[str]
) -> InstanceHandle:
    """The instance in the run, created if needed. Work on it begins with a claim.

    If nothing was done for it yet, it may differ from the stored one. If it rests on fewer samples
    than are bought by now, it is waiting again.

    Raises:
        UsageError: the run holds another issue or commit under this id.
    """
    found = _stored(connection, run, given.instance_id)
    described = {
        "repo": given.repo,
        "base_commit": given.base_commit,
        "image": given.environment.image or "",
        "environment": environment_text(given.environment),
        "digest": given.digest,
        "codebase": "",
    }
    if found is not None and _may_change(connection, run, found, given):
        described["problem"] = put_text(connection, given.problem_statement, known)
        update = sa.update(InstanceTable).where(InstanceTable.id == found.id)
        connection.execute(update.values(described))
        return _handle(found)
    if found is not None:
        _check_given(connection, run, found, given)
        _note_place(connection, given, (InstanceTable.id == found.id) & _UNHELD)
        handle = _handle(found)
        grows = handle.status.final and _fewer(found.samples, run.samples)
        return replace(handle, status=Status.WAITING) if grows else handle
    row = described | {
        "run_id": run.key,
        "instance_id": given.instance_id,
        "problem": put_text(connection, given.problem_statement, known),
        "error": "",
        "context_files": "",
        "reason": "",
        "status": Status.WAITING,
    }
    insert = sa.insert(InstanceTable).values(row).returning(InstanceTable.id)
    key = connection.execute(insert).scalar_one()
    return InstanceHandle(key, given.instance_id, Status.WAITING)


def find_instance(
    connection: sa.Connection, run: RunHandle, instance_id: str, given: Instance | None = None
) -> InstanceHandle:
    """An instance that the run has.

    Raises:
        UsageError: `given` has another issue or commit.
    """
    found = _stored(connection, run, instance_id)
    if given is not None:
        _check_given(connection, run, found, given)
    return _handle(found)


def claim_instance(
    connection: sa.Connection,
    worker: Worker,
    row: InstanceHandle,
    given: Instance | None,
) -> Claim | Holder | Ended:
    """Claim an instance to bring it to its end; otherwise who holds it, or how it ended.

    If it rests on fewer samples than are bought by now, it is waiting again. If it failed in
    another worker's hands after `row` was read, it is not tried again.

    Args:
        connection: a transaction.
        worker: who claims.
        row: the instance, as it was when this command began.
        given: the same, to note where its code is now; None: nothing to note.
    """
    holder = take(connection, worker, row.key)
    if holder is not None:
        return holder
    table = InstanceTable
    found = connection.execute(sa.select(table).where(table.id == row.key)).one()
    samples = _samples(connection, worker)
    status = _grown(connection, found, samples)
    ours = sa.update(table).where(table.id == row.key)
    failed_since = status is Status.FAILED and found.finished_at != row.finished_at
    if status.final or failed_since:
        connection.execute(ours.values(worker_id=None))
        return Ended(status, found.error)
    if given is not None:
        _note_place(connection, given, table.id == row.key)
    mark_instance(connection, row.key, Status.RUNNING)
    working = sa.update(RunTable).where(RunTable.id == worker.run)
    connection.execute(working.values(status=Status.RUNNING, finished_at=None))
    return Claim(row.key, row.instance_id, worker, samples)


def claim_ended(
    connection: sa.Connection,
    worker: Worker,
    row: InstanceHandle,
    given: Instance | None,
) -> Claim | Holder:
    """Claim an instance to add to it, however it ended; its status stays."""
    holder = take(connection, worker, row.key)
    if holder is not None:
        return holder
    if given is not None:
        _note_place(connection, given, InstanceTable.id == row.key)
    return Claim(row.key, row.instance_id, worker, _samples(connection, worker))


def _samples(connection: sa.Connection, worker: Worker) -> int:
    """How many samples are bought by now; more may have been bought after this worker began."""
    bought: int = connection.execute(
        sa.select(RunTable.samples).where(RunTable.id == worker.run)
    ).scalar_one()
    return bought


def _handle(found: Any) -> InstanceHandle:
    return InstanceHandle(found.id, found.instance_id, Status(found.status), found.finished_at)


def _stored(connection: sa.Connection, run: RunHandle, instance_id: str) -> Any:
    table = InstanceTable
    wanted = (table.run_id == run.key) & (table.instance_id == instance_id)
    return connection.execute(sa.select(table).where(wanted)).first()


def _may_change(connection: sa.Connection, run: RunHandle, found: Any, given: Instance) -> bool:
    """Whether it has changed, and nothing was done for it yet nor is about to be."""
    if found.digest == given.digest or holders(connection, run.key):
        return False
    return untouched(connection, InstanceTable.id == found.id)


def _check_given(connection: sa.Connection, run: RunHandle, found: Any, given: Instance) -> None:
    """Refuse an instance that differs from the stored one."""
    if found.digest != given.digest:
        differences = of_instance(found, get_text(connection, found.problem), given)
        raise UsageError(
            f"{given.instance_id} has changed since the run {run.name} began: {differences}.",
            hint="To continue the run, give what it has. To begin another one, add --fresh or"
            " another --name.",
        )


def _note_place(connection: sa.Connection, given: Instance, where: sa.ColumnElement[bool]) -> None:
    """Note where the code is now."""
    update = sa.update(InstanceTable).where(where)
    connection.execute(update.values(environment=environment_text(given.environment)))


def _grown(connection: sa.Connection, found: Any, samples: int) -> Status:
    """The status of an instance; waiting again if more samples are bought than it rests on.

    The model is then asked again to choose, from more candidates. The old trajectory
    stays, under another key.
    """
    status, rests = Status(found.status), found.samples
    if not status.final:  # choosing began when all samples bought so far had ended
        ended = sa.select(sa.func.count()).where(SampleTable.instance_id == found.id)
        rests = connection.execute(ended).scalar_one()
    if _fewer(rests, samples):
        for key in CHOOSING:
            _set_aside(connection, found.id, key, f"{key}-of-{rests}")
        if status.final:
            status = Status.WAITING
    return status


def _fewer(rests: int | None, samples: int) -> bool:
    """Whether `rests` (None: nothing yet) is fewer than `samples`."""
    return rests is not None and rests < samples


def _set_aside(connection: sa.Connection, instance: int, key: str, name: str) -> None:
    """Move the trajectory with this key, if there is one, to a free key like `name`."""
    table = TrajectoryTable
    keys = sa.select(table.key).where(table.instance_id == instance)
    taken = set(connection.execute(keys).scalars())
    names = (name if n == 1 else f"{name}-{n}" for n in count(1))
    free = next(each for each in names if each not in taken)
    ours = (table.instance_id == instance) & (table.key == key)
    connection.execute(sa.update(table).where(ours).values(key=free))


def mark_instance(connection: sa.Connection, key: int, status: Status, *, error: str = "") -> None:
    """Note the status of an instance. When it has ended, nobody holds it any more."""
    values: dict[str, Any] = {"status": status, "error": error}
    if status is Status.RUNNING:
        values["started_at"] = sa.func.coalesce(InstanceTable.started_at, now())
    else:
        values["finished_at"] = now()
        values["worker_id"] = None
    connection.execute(sa.update(InstanceTable).where(InstanceTable.id == key).values(values))


def check_codebase(connection: sa.Connection, key: int, digest: str) -> None:
    """Store the codebase's digest, or compare it with the stored one.

    Raises:
        UsageError: the image or repository has changed since the run began.
    """
    stored = connection.execute(
        sa.select(InstanceTable.codebase, InstanceTable.instance_id).where(InstanceTable.id == key)
    ).one()
    if stored.codebase and stored.codebase != digest:
        raise UsageError(
            f"The codebase of {stored.instance_id} has changed since the run began.",
            hint="Begin another run with --fresh.",
        )
    connection.execute(
        sa.update(InstanceTable).where(InstanceTable.id == key).values(codebase=digest)
    )
