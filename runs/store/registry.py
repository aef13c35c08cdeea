"""Runs: beginning, resuming, growing, ending."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.errors import UsageError
from runs.store.dialect import lock
from runs.store.tables import RunTable, now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


_NAME = re.compile(r"(?!last$)[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Status(enum.StrEnum):
    """Of an instance; a run is running, finished, interrupted or failed."""

    WAITING = "waiting"
    RUNNING = "running"
    SOLVED = "solved"
    """It ended with a patch; whether a right one, only a grade can say."""
    UNSOLVED = "unsolved"
    """It ended without one."""
    FAILED = "failed"
    """Something around it broke; the same command tries again."""
    INTERRUPTED = "interrupted"
    FINISHED = "finished"

    @property
    def final(self) -> bool:
        """Nothing is left to do."""
        return self in {Status.SOLVED, Status.UNSOLVED, Status.FINISHED}


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What identifies a run."""

    name: str
    """"" takes the run of the same dataset and configuration, or makes one."""
    dataset: str
    model: str
    sandbox: str
    replayed: bool
    config: Mapping[str, Any]
    """Everything that results depend on, but the number of samples."""
    config_digest: str
    owner: str
    version: str
    samples: int
    """How many to buy for each instance."""
    samples_given: bool = False
    """Whether a person asked for that number: only then does it grow a run."""
    again: bool = False
    """Begin anew when the run found is finished."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What stands for settings that an older version did not know, and so did not store."""


@dataclass(frozen=True, slots=True)
class RunHandle:
    """A run in the database, to be written."""

    key: int
    name: str
    resumed: bool
    samples: int
    """How many are bought for each instance: never fewer than before."""


@dataclass(frozen=True, slots=True)
class InstanceHandle:
    """An instance of a run, as it was in the database; to write to it takes a `Claim`."""

    key: int
    instance_id: str
    status: Status
    finished_at: datetime | None = None
    """When it last came to an end, with whatever status."""


def begin_run(connection: sa.Connection, spec: RunSpec, *, fresh: bool) -> RunHandle:
    """Make the run, or take up the one that the same command made before.

    Others may be at work on it: who does what is settled instance by instance (`ownership.py`).

    Args:
        connection: a transaction.
        spec: what identifies the run.
        fresh: make a new one in any case.

    Raises:
        UsageError: a run of that name has another configuration, or `fresh` and it exists.
    """
    if spec.name and not _NAME.fullmatch(spec.name):
        raise UsageError(
            f"not a run's name: {spec.name}",
            hint='use letters, digits and . _ - , at most 80, not "last"',
        )
    lock(connection)
    found = _find(connection, spec)
    if found is not None and spec.again:
        fresh = fresh or found.status == Status.FINISHED
    if found is None or (fresh and not spec.name):
        return _insert_run(connection, spec)
    if fresh:
        raise UsageError(f"there is a run {spec.name} already", hint="give another --name")
    if differences := _differences(spec, found):
        raise UsageError(
            f"the run {found.name} was begun with another configuration: {differences}",
            hint="give the same settings to resume it, or another --name",
        )
    samples = max(found.samples, spec.samples) if spec.samples_given else found.samples
    values = {"status": Status.RUNNING, "owner": spec.owner, "samples": samples}
    connection.execute(
        sa.update(RunTable).where(RunTable.id == found.id).values(finished_at=None, **values)
    )
    return RunHandle(found.id, found.name, resumed=True, samples=samples)


def find_run(connection: sa.Connection, name: str) -> RunHandle:
    """A stored run, to add to it; its status stays what it is."""
    found = connection.execute(sa.select(RunTable).where(RunTable.name == name)).one()
    return RunHandle(found.id, found.name, resumed=True, samples=found.samples)


def _find(connection: sa.Connection, spec: RunSpec) -> Any:
    """The run of that name; without a name, the latest that the same command began."""
    wanted = RunTable.name == spec.name if spec.name else RunTable.dataset == spec.dataset
    found = connection.execute(sa.select(RunTable).where(wanted).order_by(RunTable.id.desc()))
    return next((row for row in found.all() if spec.name or not _differences(spec, row)), None)


def _differences(spec: RunSpec, found: Any) -> str:
    """The settings in which a stored run is another, in words."""
    there = {**spec.defaults, **json.loads(found.config), "dataset": found.dataset}
    here = {**spec.defaults, **spec.config, "dataset": spec.dataset}
    keys = sorted(key for key in {**there, **here} if there.get(key) != here.get(key))
    return ", ".join(f"{key} ({there.get(key)} there, {here.get(key)} now)" for key in keys)


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
    parts = (spec.dataset.rstrip("/").rsplit("/", 1)[-1].split(".")[0], spec.model.split("/")[-1])
    stem = "-".join("".join(c if c.isalnum() or c in "._" else "-" for c in part) for part in parts)
    number = 1
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"
