"""Runs and their instances: beginning, resuming, ending."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.errors import StoreError, UsageError
from runs.store.blobs import put_text
from runs.store.tables import Instance, Run, now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from data.instances.instance import Instance as Given


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
    """Everything that results depend on."""
    config_digest: str
    owner: str
    version: str
    again: bool = False
    """Begin anew when the run found is finished."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the database."""

    key: int
    name: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance of a run in the database."""

    key: int
    instance_id: str
    status: Status


def begin_run(
    connection: sa.Connection, spec: RunSpec, *, fresh: bool, alive: Callable[[str], bool]
) -> RunRow:
    """Make the run, or take up the one that the same command made before.

    Args:
        connection: a transaction.
        spec: what identifies the run.
        fresh: make a new one in any case.
        alive: whether a stored owner still runs.

    Raises:
        UsageError: a run of that name has another configuration, or `fresh` and it exists.
        StoreError: another process drives that run now.
    """
    if spec.name and not _NAME.fullmatch(spec.name):
        raise UsageError(
            f"not a run's name: {spec.name}",
            mend='use letters, digits and . _ - , at most 80, not "last"',
        )
    found = _find(connection, spec)
    if found is not None and spec.again:
        fresh = fresh or found.status == Status.FINISHED
    if found is None or (fresh and not spec.name):
        return _insert_run(connection, spec)
    if fresh:
        raise UsageError(f"there is a run {spec.name} already", mend="give another --name")
    _check_same(spec, found)
    if found.status == Status.RUNNING:
        _check_free(found, spec.owner, alive)
    connection.execute(
        sa.update(Run)
        .where(Run.id == found.id)
        .values(status=Status.RUNNING, owner=spec.owner, finished_at=None)
    )
    return RunRow(found.id, found.name, resumed=True)


def claim_run(
    connection: sa.Connection, name: str, owner: str, alive: Callable[[str], bool]
) -> RunRow:
    """Take hold of a stored run to add to it; its status stays what it is.

    Raises:
        StoreError: another process drives that run now, or adds to it.
    """
    found = connection.execute(sa.select(Run).where(Run.name == name)).one()
    _check_free(found, owner, alive)
    connection.execute(sa.update(Run).where(Run.id == found.id).values(owner=owner))
    return RunRow(found.id, found.name, resumed=True)


def _check_free(found: Any, owner: str, alive: Callable[[str], bool]) -> None:
    if found.owner != owner and alive(found.owner):
        raise StoreError(
            f"the run {found.name} is being driven by another process ({_process(found.owner)})",
            mend="wait for it, stop it, or begin another with --fresh",
        )


def find_instance(connection: sa.Connection, run: RunRow, instance_id: str) -> InstanceRow:
    """The row of an instance that the run holds."""
    wanted = (Instance.run_id == run.key) & (Instance.instance_id == instance_id)
    found = connection.execute(sa.select(Instance).where(wanted)).one()
    return InstanceRow(found.id, instance_id, Status(found.status))


def _process(owner: str) -> str:
    """What a person can look for, say with `ps`."""
    parts = owner.split(":")
    return f"pid {parts[1]}" if len(parts) > 1 else owner


def _find(connection: sa.Connection, spec: RunSpec) -> Any:
    wanted = Run.name == spec.name
    if not spec.name:
        wanted = (Run.config_digest == spec.config_digest) & (Run.dataset == spec.dataset)
    return connection.execute(sa.select(Run).where(wanted).order_by(Run.id.desc())).first()


def _check_same(spec: RunSpec, found: Any) -> None:
    stored = json.loads(found.config)
    differing = [k for k in {**stored, **spec.config} if stored.get(k) != spec.config.get(k)]
    if found.dataset != spec.dataset:
        differing.append("dataset")
    if differing:
        there, now_ = {**stored, "dataset": found.dataset}, {**spec.config, "dataset": spec.dataset}
        changes = ", ".join(
            f"{key} ({there.get(key)} there, {now_.get(key)} now)" for key in sorted(differing)
        )
        raise UsageError(
            f"the run {found.name} was begun with another configuration: {changes}",
            mend="give the same settings to resume it, or another --name",
        )


def _insert_run(connection: sa.Connection, spec: RunSpec) -> RunRow:
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
        "config": json.dumps(spec.config, sort_keys=True),
        "config_digest": spec.config_digest,
    }
    key = connection.execute(sa.insert(Run).values(row).returning(Run.id)).scalar_one()
    return RunRow(key, name, resumed=False)


def _free_name(connection: sa.Connection, spec: RunSpec) -> str:
    """For example "instances-gpt-4o-1"."""
    taken = set(connection.execute(sa.select(Run.name)).scalars())
    parts = (spec.dataset.rstrip("/").rsplit("/", 1)[-1].split(".")[0], spec.model.split("/")[-1])
    stem = "-".join("".join(c if c.isalnum() or c in "._" else "-" for c in part) for part in parts)
    number = 1
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def enter_instance(
    connection: sa.Connection, run: RunRow, given: Given, known: set[str]
) -> InstanceRow:
    """The instance's row in the run, made at first need.

    Raises:
        UsageError: the run holds another issue or commit under this id.
    """
    wanted = (Instance.run_id == run.key) & (Instance.instance_id == given.instance_id)
    found = connection.execute(sa.select(Instance).where(wanted)).first()
    if found is not None:
        if found.digest != given.digest:
            raise UsageError(
                f"{given.instance_id}: its issue, commit or environment has changed"
                f" since {run.name} began",
                mend="begin another run with --fresh",
            )
        return InstanceRow(found.id, given.instance_id, Status(found.status))
    row = {
        "run_id": run.key,
        "instance_id": given.instance_id,
        "repo": given.repo,
        "base_commit": given.base_commit,
        "image": given.environment.image or "",
        "digest": given.digest,
        "problem": put_text(connection, given.problem_statement, known),
        "codebase": "",
        "error": "",
        "context_files": "",
        "reason": "",
        "status": Status.WAITING,
    }
    key = connection.execute(sa.insert(Instance).values(row).returning(Instance.id)).scalar_one()
    return InstanceRow(key, given.instance_id, Status.WAITING)


def mark_instance(connection: sa.Connection, key: int, status: Status, *, error: str = "") -> None:
    """Note what an instance has come to."""
    values: dict[str, Any] = {"status": status, "error": error}
    if status is Status.RUNNING:
        values["started_at"] = sa.func.coalesce(Instance.started_at, now())
    else:
        values["finished_at"] = now()
    connection.execute(sa.update(Instance).where(Instance.id == key).values(values))


def check_codebase(connection: sa.Connection, key: int, digest: str) -> None:
    """Store the codebase's digest, or hold it against the stored one.

    Raises:
        UsageError: the image or repository has changed since the run began.
    """
    stored = connection.execute(
        sa.select(Instance.codebase, Instance.instance_id).where(Instance.id == key)
    ).one()
    if stored.codebase and stored.codebase != digest:
        raise UsageError(
            f"{stored.instance_id}: its codebase has changed since the run began",
            mend="begin another run with --fresh",
        )
    connection.execute(sa.update(Instance).where(Instance.id == key).values(codebase=digest))


def end_run(connection: sa.Connection, key: int, status: Status | str) -> None:
    """Note how a run ended."""
    connection.execute(
        sa.update(Run).where(Run.id == key).values(status=str(status), finished_at=now())
    )
