"""Images without the future: made once of those that hold it."""

from __future__ import annotations

import hashlib
import json
import logging
import shlex
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from data.errors import SandboxError
from sandbox.docker.containers import tar_of
from sandbox.docker.containers.settings import container_settings, trusted, walled
from sandbox.docker.engine.labels import image_labels, label_changes
from sandbox.docker.leaks.inside import run_inside
from sandbox.docker.leaks.leftovers import shell_text
from sandbox.docker.leaks.report import MOST_OBJECTS, Report, read_report
from sandbox.launch import FOLDER, StagedFile
from sandbox.protocol import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.docker.containers import Containers
    from sandbox.docker.containers.ground import Machine
    from sandbox.docker.engine import Engine, Image
    from sandbox.docker.images.verdicts import Verdicts
    from sandbox.supervise import Stop

REPOSITORY = "troop/scrubbed"

_RECIPE = 1
_LOOK_S = 600.0
_CUT_S = 3600.0
_LIMITS = Limits(memory_mb=2048)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scrub:
    """Finds or makes the image that scripts may see, of one that may hold the future.

    What is hidden: all of git's history but the commit that the repository is
    at, which becomes shallow, and the files in `leftovers.py`. The working tree
    stays as it is. Not found: another version of the project that was installed
    or unpacked elsewhere without its history.
    """

    engine: Engine
    machine: Machine
    containers: Containers
    base: Image
    repo_dir: str
    labels: Mapping[str, str]
    verdicts: Verdicts

    def image(self, stop: Stop) -> Image:
        """The base where nothing is to be hidden, else the image made of it.

        Raises:
            Stopped: the order to stop was given.
            SandboxError: the engine failed, or what is to be hidden cannot be.
        """
        digest = self._digest()
        if self.verdicts.is_clean(digest):
            return self.base
        name = f"{REPOSITORY}:{digest[:24]}"
        if not self.engine.has_image(name):
            before = self._look(self.base, stop)
            findings = before.findings()
            if not findings:
                self.verdicts.remember(digest)
                return self.base
            _LOG.info("%s holds what is to be hidden: %s", self.base.name, "; ".join(findings))
            self._make(name, before, stop)
        return self.engine.image(name)

    def _digest(self) -> str:
        parts = [str(_RECIPE), self.base.id, self.repo_dir, *_programs().values()]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def _look(self, image: Image, stop: Stop) -> Report:
        # With the rights of a script: what it cannot read needs no hiding.
        host = walled(_LIMITS, self.machine)
        settings = container_settings(image, ("/bin/sh", f"{FOLDER}/look.sh"), self.labels, {})
        with self.containers.new(settings, host) as container:
            self._put("look.sh", container)
            return read_report(run_inside(self.engine, container, _LOOK_S, stop))

    def _make(self, name: str, before: Report, stop: Stop) -> None:
        settings = container_settings(self.base, (), self.labels, {})
        # An entrypoint that is reset, so that the image made of this has only its base's.
        settings |= {"entrypoint": [""], "command": ["/bin/sh", f"{FOLDER}/cut.sh"]}
        with self.containers.new(settings, trusted(network=False)) as container:
            self._put("cut.sh", container)
            done = run_inside(self.engine, container, _CUT_S, stop)
            _LOG.info("%s for %s: %s", name, self.base.name, "; ".join(done.splitlines()))
            made = self.engine.commit_unnamed(container, self._changes())
        try:
            after = self._look(self.engine.image(made), stop)
            _audit(self.base.name, before, after)
            # Another process may have been faster; either image will do.
            if not self.engine.has_image(name):
                self.engine.tag(made, name)
                return
        except BaseException:
            self._discard(made)
            raise
        self._discard(made)

    def _discard(self, image: str) -> None:
        try:
            self.engine.remove_image(image)
        except SandboxError as error:
            # It has no name, so nothing uses it.
            _LOG.warning("The image %s could not be removed: %s", image, error)

    def _changes(self) -> list[str]:
        config = self.engine.image_config(self.base.id)
        return [*label_changes(image_labels("scrubbed")), *_start_of(config)]

    def _put(self, program: str, container: str) -> None:
        text = "\n".join(
            [
                f"troop={FOLDER} repo={shlex.quote(self.repo_dir)} most={MOST_OBJECTS}",
                _programs()["leftovers"],
                _programs()["gits.sh"],
                _programs()[program],
            ]
        )
        file = StagedFile(program, text.encode("utf-8", "surrogateescape"))
        self.engine.put(container, tar_of([file], FOLDER.strip("/")))


def _programs() -> dict[str, str]:
    folder = resources.files(__package__)
    names = ("gits.sh", "look.sh", "cut.sh")
    return {
        "leftovers": shell_text(),
        **{name: folder.joinpath(name).read_text("utf-8") for name in names},
    }


def _start_of(config: Mapping[str, Any]) -> list[str]:
    """Dockerfile lines for how an image of this configuration is started."""
    lines = [f"ENTRYPOINT {json.dumps(words)}" for words in [config.get("Entrypoint")] if words]
    lines.append(f"CMD {json.dumps(config.get('Cmd') or ['/bin/sh'])}")
    if config.get("User"):
        lines.append(f"USER {config['User']}")
    if config.get("WorkingDir"):
        lines.append(f"WORKDIR {config['WorkingDir']}")
    return lines


def _audit(name: str, before: Report, after: Report) -> None:
    """Refuse an image that still tells something, or whose repository is not what it was.

    Raises:
        SandboxError: it does.
    """
    wrong = after.findings()
    is_now = {repository.path: repository for repository in after.repositories}
    for was in before.repositories:
        now = is_now.get(was.path)
        if now is not None and (now.head, now.needed) != (was.head, was.needed):
            wrong.append(f"{was.path}: it is at another commit than before")
    if wrong:
        raise SandboxError(
            f"What the image {name} leaks could not be hidden: {'; '.join(wrong)}.",
            mend="Look into the image; a damaged repository in it has to be mended or removed.",
        )
