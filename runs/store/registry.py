"""Runs: beginning, resuming, growing, ending."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.errors import UsageError
from runs.store.dialect import lock
from runs.store.differences import of_settings, told
from runs.store.removal import delete_run, untouched
from runs.store.tables import InstanceTable, RunTable, now, sql_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


_NAME = re.compile(r"(?!last$)[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Status(enum.StrEnum):
    """The status of an instance or a run; a run is running, finished, interrupted or failed."""

    WAITING = "waiting"
    RUNNING = "running"
    PATCHED = "patched"
    """It ended with a patch. Whether the patch is right, only a grade can say."""
    NO_PATCH = "no_patch"
    """It ended without a patch."""
    FAILED = "failed"
    """Something around it broke. The same command tries again."""
    INTERRUPTED = "interrupted"
    FINISHED = "finished"

    @property
    def words(self) -> str:
        """The status as shown to people."""
        return self.value.replace("_", " ")

    @property
    def final(self) -> bool:
        """Whether nothing is left to do."""
        return self in {Status.PATCHED, Status.NO_PATCH, Status.FINISHED}


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What identifies a run."""

    name: str
    """"": the run of the same work that nobody named either, or a new one."""
    dataset: str
    model: str
    sandbox: str
    replayed: bool
    config: Mapping[str, Any]
    """Everything that results depend on, except the number of samples."""
    config_digest: str
    owner: str
    version: str
    samples: int
    """How many samples to buy for each instance."""
    samples_given: bool = False
    """Whether a person asked for that number. Only then does a run grow to it."""
    again: bool = False
    """Begin a new run if the one found is finished."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The values of settings that an older version did not know, and so did not store."""
    instances: Mapping[str, str] = field(default_factory=dict)
    """The digests of the instances to work on, by id."""

    def __post_init__(self) -> None:
        """Name the dataset as it is stored, so that a run is found again."""
        object.__setattr__(self, "dataset", sql_text(self.dataset))


@dataclass(frozen=True, slots=True)
class RunHandle:
    """A run in the database, for writing."""

    key: int
    name: str
    resumed: bool
    samples: int
    """How many samples are bought for each instance: never fewer than before."""


@dataclass(frozen=True, slots=True)
class InstanceHandle:
    """An instance of a run as it was in the database. Writing to it needs a `Claim`."""

    key: int
    instance_id: str
    status: Status
    finished_at: datetime | None = None
    """When it last ended, with any status."""


def begin_run(
    connection: sa.Connection, spec: RunSpec, *, fresh: bool, busy: Callable[[int], bool]
) -> RunHandle:
    """Create the run, or continue the one that the same command created before.

    Others may be working on it: who does what is decided for each instance (`ownership.py`).
    A run in which nothing was asked or executed yet blocks nobody: a command with other
    settings replaces it.

    Args:
        connection: a transaction.
        spec: what identifies the run.
        fresh: create a new run in any case.
        busy: whether somebody works on the run with this primary key.

    Raises:
        UsageError: the run of that name has another configuration, or exists despite `fresh`.
    """
    if spec.name:
        check_name(spec.name)
    lock(connection)
    found = _find(connection, spec, busy)
    if found is not None and spec.again:
        fresh = fresh or found.status == Status.FINISHED
    if found is None or (fresh and not spec.name):
        return _insert_run(connection, spec)
    differences = _differences(spec, found)
    if (fresh or differences) and _is_idle(connection, found, busy):
        delete_run(connection, found.id)
        return _insert_run(connection, spec)
    if fresh:
        raise UsageError(
            f"There is a run {spec.name} already.",
            hint=f"Give another --name, or remove it: troop runs rm {spec.name}",
        )
    if differences:
        raise UsageError(
            f"The run {found.name} was begun with another configuration: {told(differences)}.",
            hint="Give the old settings to continue it, or another --name, or remove it:"
            f" troop runs rm {found.name}",
        )
    samples = max(found.samples, spec.samples) if spec.samples_given else found.samples
    values = {"status": Status.RUNNING, "owner": spec.owner, "samples": samples}
    connection.execute(
        sa.update(RunTable).where(RunTable.id == found.id).values(finished_at=None, **values)
    )
    return RunHandle(found.id, found.name, resumed=True, samples=samples)


def find_run(connection: sa.Connection, name: str) -> RunHandle:
    """A stored run, to add to it. Its status stays."""
    found = connection.execute(sa.select(RunTable).where(RunTable.name == name)).one()
    return RunHandle(found.id, found.name, resumed=True, samples=found.samples)


def check_name(name: str) -> None:
    """Refuse what cannot be a run's name.

    Raises:
        UsageError: it cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name} cannot be a run's name.",
            hint='Use up to 80 letters, digits and the characters . _ - but not the name "last".',
        )


def _find(connection: sa.Connection, spec: RunSpec, busy: Callable[[int], bool]) -> Any:
    """The run of that name; without a name, the latest run of this work, or one that did nothing.

    A run that a person named is continued only by its name.
    """
    query = sa.select(RunTable).order_by(RunTable.id.desc())
    if spec.name:
        return connection.execute(query.where(RunTable.name == spec.name)).first()
    rows = connection.execute(query.where(RunTable.dataset == spec.dataset)).all()
    unnamed = [row for row in rows if is_automatic(row.name, row.dataset, row.model)]
    same = (row for row in unnamed if _is_same_work(connection, spec, row))
    idle = (row for row in unnamed if _is_idle(connection, row, busy))
    return next(same, None) or next(idle, None)


def _is_same_work(connection: sa.Connection, spec: RunSpec, found: Any) -> bool:
    """Whether a run has these settings and some of these instances, all unchanged."""
    if _differences(spec, found):
        return False
    table = InstanceTable
    rows = connection.execute(
        sa.select(table.id, table.instance_id, table.digest).where(table.run_id == found.id)
    ).all()
    shared = [row for row in rows if row.instance_id in spec.instances]
    if rows and spec.instances and not shared:
        return False
    changed = [row.id for row in shared if row.digest != spec.instances[row.instance_id]]
    return untouched(connection, table.id.in_(changed))


def _is_idle(connection: sa.Connection, found: Any, busy: Callable[[int], bool]) -> bool:
    """Whether nothing was done in a run, and nobody is about to do anything."""
    return not busy(found.id) and untouched(connection, InstanceTable.run_id == found.id)


def _differences(spec: RunSpec, found: Any) -> dict[str, tuple[object, object]]:
    """The settings in which a stored run differs."""
    there = {**spec.defaults, **json.loads(found.config), "dataset": found.dataset}
    return of_settings(there, {**spec.defaults, **spec.config, "dataset": spec.dataset})


def _insert_run(connection: sa.Connection, spec: RunSpec) -> RunHandle:
    name = spec.name or _free_name(connection, spec)
    row = {
        "name": name,
        "status": Status.RUNNING,
        "created_at": now(),
        "owner": spec.owner,
        "troop_version": spec.version,
        "dataset": spec.dataset,
        "model": spec.model,
        "sandbox": spec.sandbox,
        "replayed": spec.replayed,
        "samples": spec.samples,
        "config": json.dumps(spec.config, sort_keys=True),
        "config_digest": spec.config_digest,
    }
    insert = sa.insert(RunTable).values(row).returning(RunTable.id)
    key = connection.execute(insert).scalar_one()
    return RunHandle(key, name, resumed=False, samples=spec.samples)


def _free_name(connection: sa.Connection, spec: RunSpec) -> str:
    """For example "instances-gpt-4o-1"."""
    taken = set(connection.execute(sa.select(RunTable.name)).scalars())
    stem = _stem(spec.dataset, spec.model)
    return next(name for name in (f"{stem}-{n}" for n in count(1)) if name not in taken)


def is_automatic(name: str, dataset: str, model: str) -> bool:
    """Whether Troop, not a person, gave a run its name."""
    stem, _, number = name.rpartition("-")
    return number.isdecimal() and stem == _stem(dataset, model)


def _stem(dataset: str, model: str) -> str:
    name = dataset.rstrip("/").rpartition("/")[2].split(".")[0]
    parts = (name, model.rpartition("/")[2])
    return "-".join("".join(c if c.isalnum() or c in "._" else "-" for c in part) for part in parts)
