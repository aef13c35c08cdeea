"""Images made for one's own repository: its commit laid on an image, its setup run once."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.codebases.commits import full_commit, open_commit
from sandbox.docker.bytecode import COMPILE
from sandbox.docker.containers import RunningContainer, tar_of
from sandbox.docker.containers.settings import container_settings, trusted
from sandbox.docker.engine.labels import image_labels, label_changes
from sandbox.launch import FOLDER
from sandbox.setup import COMMIT, SETUP_LIMITS, check_setup, setup_files, wanted
from sandbox.supervise import new_mark, supervise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.instances.instance import Environment
    from sandbox.docker.containers import Containers
    from sandbox.docker.engine import Engine, Image
    from sandbox.supervise import Stop

REPOSITORY = "troop/prepared"

_RECIPE = 2
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes prepared images, and finds those made before."""

    engine: Engine
    containers: Containers
    base: Image
    environment: Environment
    labels: Mapping[str, str]

    def image(self, commit: str, stop: Stop) -> Image:
        """The image that holds `commit` (of `Environment.source`) with its setup done.

        Raises:
            UsageError: no such commit, or the setup failed.
            SandboxError: the engine failed.
        """
        source = self.environment.source
        whole = full_commit(source, commit) if source else ""
        name = f"{REPOSITORY}:{self._digest(whole)}"
        if not self.engine.has_image(name):
            self._make(name, whole, stop)
        return self.engine.image(name)

    def _digest(self, commit: str) -> str:
        environment = self.environment
        parts = [str(_RECIPE), self.base.id, commit, environment.repo_dir]
        if wanted(environment):
            parts += [environment.activate, environment.setup]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    def _make(self, name: str, commit: str, stop: Stop) -> None:
        _LOG.info("Preparing %s from %s", name, self.base.name)
        mark = new_mark()
        environment = self.environment
        files = setup_files(
            environment, mark, first=COMMIT if environment.source else "", last=COMPILE
        )
        settings = container_settings(self.base, (), self.labels, {"TERM": "dumb"})
        # An entrypoint that is reset, so that the image made of this keeps none.
        settings |= {"entrypoint": [""], "command": ["/bin/sh", f"{FOLDER}/prepare.sh"]}
        host = trusted(network=wanted(environment))
        with self.containers.new(settings, host) as container:
            if environment.source:
                prefix = environment.repo_dir.strip("/")
                with open_commit(environment.source, commit, prefix) as tar:
                    self.engine.put(container, tar)
            stop.check()
            self.engine.put(container, tar_of(files, FOLDER.strip("/")))
            with contextlib.closing(self.engine.attach(container)) as output:
                self.engine.start(container)
                process = RunningContainer(self.engine, container, output)
                finish = supervise(process, SETUP_LIMITS, mark, stop)
            check_setup(finish, environment, f"the image {self.base.name}")
            changes = [*label_changes(image_labels("prepared")), 'CMD ["/bin/sh"]']
            self.engine.commit(container, name, changes)
