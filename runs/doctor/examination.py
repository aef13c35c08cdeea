"""Which checks there are, in the order in which people read them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from runs.doctor import host, kernel, model, warm
from runs.doctor.check import MODEL, SANDBOX, STORE, Check, examine, unknown
from runs.doctor.engine import look_at_engine
from runs.doctor.images import ImageNames, look_at_images
from runs.doctor.leftovers import look_at_leftovers
from runs.doctor.room import look_at_room
from runs.doctor.shared import NoEngineError, SharedEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runs.doctor.check import Finding
    from runs.doctor.images import Wanted
    from runs.run.config import Config

DATASET_S = 60.0
"""A dataset may have to be downloaded."""
ENGINE_S = 15.0


@dataclass(frozen=True, slots=True)
class Patient:
    """What is to be looked at."""

    config: Config
    database: str
    """A SQLAlchemy URL."""
    wanted: Wanted | None = None
    call: bool = False


def examination(patient: Patient) -> list[Finding]:
    """Look at everything."""
    _load()
    shared = SharedEngine()
    try:
        return examine(checks(patient, shared))
    finally:
        shared.close()


def _load() -> None:
    """Import what checks share: threads that import one package at once may block each other."""
    # What cannot be imported here is the finding of the check that needs it.
    with contextlib.suppress(Exception):
        from data.instances import loaders  # noqa: F401 - it is only loaded
    with contextlib.suppress(Exception):
        from runs.doctor import database  # noqa: F401 - likewise
    with contextlib.suppress(Exception):
        from sandbox.docker import gc  # noqa: F401 - likewise
        from sandbox.docker.warm import probe  # noqa: F401 - likewise
    with contextlib.suppress(Exception):
        from sandbox.local import isolation  # noqa: F401 - likewise


def checks(patient: Patient, shared: SharedEngine) -> list[Check]:
    """All checks, in order."""
    config, names = patient.config, ImageNames(patient.wanted)
    needed = config.batch.sandbox == "docker"
    model_s = model.CALL_LIMIT_S if patient.call else model.LIMIT_S
    return [
        Check("python", host.look_at_host),
        Check("git", host.look_at_git),
        Check("terminal", host.look_at_terminal),
        Check("kernel", kernel.look_at_kernel),
        Check("local", kernel.look_at_local, 30),
        Check("engine", partial(look_at_engine, shared, needed=needed), ENGINE_S, SANDBOX),
        _asking("engine.room", partial(look_at_room, shared, config)),
        _asking("engine.warm", partial(warm.look_at_warm, shared, names), warm.LIMIT_S),
        *([_images(shared, names)] if patient.wanted else []),
        _asking("leftovers", partial(look_at_leftovers, shared)),
        Check("model", partial(model.look_at_model, config, call=patient.call), model_s, MODEL),
        Check("database", partial(_look_at_database, patient.database), 10, STORE),
    ]


def _images(shared: SharedEngine, names: ImageNames) -> Check:
    return _asking("images", partial(look_at_images, shared, names), DATASET_S)


def _asking(name: str, look: Callable[[], Sequence[Finding]], limit_s: float = ENGINE_S) -> Check:
    """A check that asks the engine; without one it says that it was not checked."""

    def looked() -> Sequence[Finding]:
        try:
            return look()
        except NoEngineError:
            return [
                unknown(name, f"{name.replace('.', ' ')}: not checked, because no engine answers")
            ]

    return Check(name, looked, limit_s, SANDBOX if name != "images" else 1)


def _look_at_database(url: str) -> Sequence[Finding]:
    from runs.doctor.database import look_at_database

    return look_at_database(url)
