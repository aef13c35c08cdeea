"""The instances of a run: entering, growing, what they have come to."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from agent.journal import Kind
from data.errors import UsageError
from runs.store.blobs import put_text
from runs.store.environments import environment_text
from runs.store.registry import InstanceHandle, Status
from runs.store.tables import InstanceTable, SampleTable, TrajectoryTable, now

if TYPE_CHECKING:
    from data.instances.instance import Instance
    from runs.store.registry import RunHandle

CHOOSING = (Kind.SELECTION.value, Kind.JUDGE.value)
"""The keys of the trajectories by which a run itself chooses (`selection.selectors.asking`)."""


def enter_instance(
    connection: sa.Connection, run: RunHandle, given: Instance, known: set[str]
) -> InstanceHandle:
    """The instance in the run, made at first need.

    One that rests on fewer samples than are bought by now is waiting again.

    Raises:
        UsageError: the run holds another issue or commit under this id.
    """
    found = _stored(connection, run, given.instance_id)
    if found is not None:
        _check_given(connection, run, found, given)
        return _grown(connection, run, found)
    row = {
        "run_id": run.key,
        "instance_id": given.instance_id,
        "repo": given.repo,
        "base_commit": given.base_commit,
        "image": given.environment.image or "",
        "environment": environment_text(given.environment),
        "digest": given.digest,
        "problem": put_text(connection, given.problem_statement, known),
        "codebase": "",
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
    """An instance that the run holds, to add to it; its status stays what it is.

    Raises:
        UsageError: `given` is another issue or commit.
    """
    found = _stored(connection, run, instance_id)
    if given is not None:
        _check_given(connection, run, found, given)
    return InstanceHandle(found.id, instance_id, Status(found.status))


def _stored(connection: sa.Connection, run: RunHandle, instance_id: str) -> Any:
    table = InstanceTable
    wanted = (table.run_id == run.key) & (table.instance_id == instance_id)
    return connection.execute(sa.select(table).where(wanted)).first()


def _check_given(connection: sa.Connection, run: RunHandle, found: Any, given: Instance) -> None:
    """Refuse another instance; of the same, note where its code lies now."""
    if found.digest != given.digest:
        raise UsageError(
            f"{given.instance_id}: its issue, commit or environment has changed"
            f" since {run.name} began",
            hint="begin another run with --fresh",
        )
    update = sa.update(InstanceTable).where(InstanceTable.id == found.id)
    connection.execute(update.values(environment=environment_text(given.environment)))


def _grown(connection: sa.Connection, run: RunHandle, found: Any) -> InstanceHandle:
    """The instance, waiting again where more samples are bought than it rests on.

    What the run asked in order to choose is asked again then, of more candidates.
    The old trajectory stays, under another key.
    """
    status, rests = Status(found.status), found.samples
    if not status.final:  # choosing began when all samples then bought had ended
        ended = sa.select(sa.func.count()).where(SampleTable.instance_id == found.id)
        rests = connection.execute(ended).scalar_one()
    if rests is not None and rests < run.samples:
        for key in CHOOSING:
            _set_aside(connection, found.id, key, f"{key}-of-{rests}")
        if status.final:
            status = Status.WAITING
            update = sa.update(InstanceTable).where(InstanceTable.id == found.id)
            connection.execute(update.values(status=status))
    return InstanceHandle(found.id, found.instance_id, status)


def _set_aside(connection: sa.Connection, instance: int, key: str, name: str) -> None:
    """Give the trajectory of this key, if there is one, a free key like `name`."""
    table = TrajectoryTable
    keys = sa.select(table.key).where(table.instance_id == instance)
    taken = set(connection.execute(keys).scalars())
    names = (name if n == 1 else f"{name}-{n}" for n in count(1))
    free = next(each for each in names if each not in taken)
    ours = (table.instance_id == instance) & (table.key == key)
    connection.execute(sa.update(table).where(ours).values(key=free))


def mark_instance(connection: sa.Connection, key: int, status: Status, *, error: str = "") -> None:
    """Note what an instance has come to."""
    values: dict[str, Any] = {"status": status, "error": error}
    if status is Status.RUNNING:
        values["started_at"] = sa.func.coalesce(InstanceTable.started_at, now())
    else:
        values["finished_at"] = now()
    connection.execute(sa.update(InstanceTable).where(InstanceTable.id == key).values(values))


def check_codebase(connection: sa.Connection, key: int, digest: str) -> None:
    """Store the codebase's digest, or hold it against the stored one.

    Raises:
        UsageError: the image or repository has changed since the run began.
    """
    stored = connection.execute(
        sa.select(InstanceTable.codebase, InstanceTable.instance_id).where(InstanceTable.id == key)
    ).one()
    if stored.codebase and stored.codebase != digest:
        raise UsageError(
            f"{stored.instance_id}: its codebase has changed since the run began",
            hint="begin another run with --fresh",
        )
    connection.execute(
        sa.update(InstanceTable).where(InstanceTable.id == key).values(codebase=digest)
    )
