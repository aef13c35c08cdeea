"""What the executions of one instance run on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.docker.containers.containers import RunningContainer, tar_of
from sandbox.docker.containers.settings import container_settings
from sandbox.launch import FOLDER
from sandbox.supervise import supervise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data.codebases.checkout import Checkout
    from data.instances.instance import Environment
    from sandbox.docker.containers.containers import Containers
    from sandbox.docker.containers.settings import Machine
    from sandbox.docker.engine import Engine, Image
    from sandbox.launch import StagedFile
    from sandbox.protocol import Limits
    from sandbox.supervise import ProcessResult, Stop


@dataclass(frozen=True, slots=True)
class Ground:
    """A Docker engine, an image on it, and how containers are made of them."""

    engine: Engine
    machine: Machine
    containers: Containers
    image: Image
    environment: Environment
    labels: Mapping[str, str]
    checkout: Checkout | None = None
    """The checkout of `Environment.source` that is laid on the image."""

    def container(
        self, program: str, host: Mapping[str, Any], env: Mapping[str, str] | None = None
    ) -> contextlib.AbstractContextManager[str]:
        """A created container that is to run a shell program; it must still be `put`.

        The entrypoint is reset, so that an image made of the container has none.
        """
        settings = container_settings(self.image, (), self.labels, env or {})
        settings |= {"entrypoint": [""], "command": ["/bin/sh", f"{FOLDER}/{program}"]}
        return self.containers.new(settings, host)

    def put(self, container: str, files: Iterable[StagedFile]) -> None:
        """Put `files` into the folder of Troop's programs."""
        self.engine.put(container, tar_of(files, FOLDER.strip("/")))

    def run(
        self, container: str, limits: Limits, mark: bytes, stop: Stop, word: str = ""
    ) -> ProcessResult:
        """Start a created container and watch it to its end; `word` as for `supervise`."""
        with contextlib.closing(self.engine.attach(container)) as output:
            self.engine.start(container)
            process = RunningContainer(self.engine, container, output)
            return supervise(process, limits, mark, stop, word)
