"""Containers that are always removed, and one as a process that can be watched."""

from __future__ import annotations

import contextlib
import io
import logging
import secrets
import tarfile
import time
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from data.errors import SandboxError
from sandbox.docker.engine.failure import EngineUnreachable, TransientEngineError
from sandbox.docker.engine.labels import GROUP
from sandbox.supervise import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandbox.docker.engine import Attached, Engine
    from sandbox.launch import StagedFile
    from sandbox.supervise import Stop

_KILLED = 137
_WAIT_S = 60.0
_RESTART_S = 120.0
_LOOK_S = 0.5
_LOG = logging.getLogger(__name__)


def retrying(stop: Stop, engine: Engine | None = None) -> Retrying:
    """Three tries, if the failure of the engine may pass.

    `engine`: one that answered before. If it is gone, it has two minutes to come back
    (for example after a restart) before the next try.
    """
    passing = (TransientEngineError, *((EngineUnreachable,) if engine else ()))

    def wait(seconds: float) -> None:
        stop.sleep(seconds)
        until = time.monotonic() + _RESTART_S
        while engine and not engine.answers() and time.monotonic() < until:
            stop.sleep(_LOOK_S)

    return Retrying(
        stop=stop_after_attempt(3),
        wait=wait_random_exponential(multiplier=0.3, max=2),
        retry=retry_if_exception_type(passing),
        sleep=wait,
        reraise=True,
    )


class Containers:
    """The containers of one provider. Safe to use in several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._group = secrets.token_hex(8)

    @contextlib.contextmanager
    def new(self, settings: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[str]:
        """A created container, which is always killed and removed at the end."""
        container = self.create(settings, host)
        try:
            yield container
        finally:
            self.remove(container)

    @contextlib.contextmanager
    def network(self, labels: Mapping[str, str]) -> Iterator[str]:
        """The name of a network for one container, which is always removed at the end."""
        name = f"troop-{secrets.token_hex(8)}"
        network = self._engine.create_network(name, {**labels, GROUP: self._group})
        try:
            yield name
        finally:
            try:
                self._engine.remove_network(network)
            except SandboxError as error:
                _LOG.warning("The network %s could not be removed: %s", name, error)

    def create(self, settings: Mapping[str, Any], host: Mapping[str, Any]) -> str:
        """A created container, which the caller removes."""
        labels = {**settings["labels"], GROUP: self._group}
        return self._engine.create({**settings, "labels": labels}, host)

    def remove_all(self) -> None:
        """Remove what an earlier removal left, and containers that were made without an answer."""
        try:
            left = self._engine.stored_containers(f"{GROUP}={self._group}")
        except SandboxError as error:
            _LOG.warning("The Docker engine does not list the containers that are left: %s", error)
            return
        for container in left:
            self.remove(container.id)

    def remove(self, container: str) -> None:
        """Kill and remove a container. If that fails, `remove_all` or the reaper does it."""
        try:
            for attempt in Retrying(
                stop=stop_after_attempt(3),
                wait=wait_random_exponential(multiplier=0.3, max=2),
                retry=retry_if_exception_type(TransientEngineError),
                reraise=True,
            ):
                with attempt:
                    self._engine.remove(container)
        except SandboxError as error:
            # The result of the execution stands; the reaper finds the container by its labels.
            _LOG.warning("Container %s could not be removed: %s", container[:12], error)


class RunningContainer:
    """A started container as `sandbox.supervise.Process`."""

    def __init__(self, engine: Engine, container: str, output: Attached) -> None:
        self._engine = engine
        self._container = container
        self._frames = output.frames()

    def read(self) -> bytes:
        """The next piece of output; b"" once the container's processes are gone."""
        return next((data for _, data in self._frames if data), b"")

    def wait(self) -> Exit:
        """How the container ended.

        The engine reports a lack of memory for any process of the container. It is the
        ending only if the script itself was killed.
        """
        code = self._engine.wait(self._container, _WAIT_S)
        killed = code == _KILLED and self._engine.state(self._container).out_of_memory
        return Exit(code, out_of_memory=killed)

    def kill(self) -> None:
        """Kill the first process, and with it all others in its namespace."""
        self._engine.kill(self._container)

    def disk_bytes(self) -> int:
        """The size of the container's own layer."""
        return self._engine.disk_bytes(self._container)


def tar_of(files: Iterable[StagedFile], folder: str) -> bytes:
    """A tar of `files` under `folder` ("troop"), owned by root."""
    buffer = io.BytesIO()
    now = int(time.time())
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        info = tarfile.TarInfo(folder)
        info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, now
        tar.addfile(info)
        for file in files:
            info = tarfile.TarInfo(f"{folder}/{file.name}")
            info.size = len(file.content)
            # Not a fixed time, because Python checks compiled modules by their source's time.
            info.mtime = now
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(file.content))
    return buffer.getvalue()
