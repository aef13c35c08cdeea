"""Images whose repository is root's, each made once from an image whose repository is not.

Scripts run as root without capabilities, so they have no rights in the files of others. An image
with `USER bob`, or with files that somebody copied into it, would let them change nothing.
"""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.docker.containers.settings import walled, walled_setup
from sandbox.docker.engine.failure import TransientEngineError
from sandbox.docker.images.made import Recipe, digest_of, start_lines
from sandbox.launch import StagedFile
from sandbox.output import escape_controls
from sandbox.protocol import Ending, Limits
from sandbox.supervise import new_mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sandbox.docker.containers.ground import Ground
    from sandbox.docker.engine import Image
    from sandbox.docker.images.made import Maker
    from sandbox.supervise import Stop

_RECIPE = 1
_LIMITS = Limits(timeout_s=600, memory_mb=2048, disk_mb=1 << 20, output_chars=4000)
_NAME = "ownership.sh"
_SYSTEM = {
    PurePosixPath(path) for path in ("/", "/usr", "/bin", "/sbin", "/lib", "/etc", "/usr/lib")
}
"""Repositories among the system's own programs, whose owners are as they have to be."""
_NO_SHELL = {126, 127}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Finds or makes the image whose repository root can change without capabilities.

    Owners and permissions of files below the repository, of the folders on the way to it
    and of the home folders that the image names are changed only where root lacks rights.
    Contents and times stay as they are.
    """

    ground: Ground
    maker: Maker

    def image(self, stop: Stop) -> Image:
        """The ground's image if root can change all of the repository, else one made from it.

        Raises:
            Stopped: the order to stop was given.
            SandboxError: the engine failed, or the rights cannot be had.
        """
        base = self.ground.image
        if PurePosixPath(self.ground.environment.repo_dir) in _SYSTEM:
            return base

        def make(recipe: Recipe) -> str | None:
            first = self._run(base, "look", stop)
            if not first:
                return None
            _LOG.info("%s has files that are not root's, such as %s", base.name, first)
            return self._take(recipe, stop)

        digest = digest_of(_RECIPE, base.id, self.ground.environment.repo_dir, _program())
        recipe = Recipe("owned", digest, make, check=lambda made: self._check(made, stop))
        return self.maker.image(recipe, stop) or base

    def _take(self, recipe: Recipe, stop: Stop) -> str:
        ground = self.ground
        with ground.container(_NAME, walled_setup(ground.machine)) as container:
            self._start(ground, container, "take", stop)
            start = start_lines(ground.engine.image_config(ground.image.id))
            return ground.engine.commit(container, "", [*recipe.labels, *start])

    def _check(self, made: Image, stop: Stop) -> None:
        if first := self._run(made, "look", stop):
            raise _refused(self.ground.image, f"{first} still is not root's")

    def _run(self, image: Image, act: str, stop: Stop) -> str:
        """With the rights of a script, because those are what counts."""
        ground = replace(self.ground, image=image)
        with ground.container(_NAME, walled(_LIMITS, ground.machine)) as container:
            return self._start(ground, container, act, stop)

    def _start(self, ground: Ground, container: str, act: str, stop: Stop) -> str:
        mark = new_mark()
        config = ground.engine.image_config(ground.image.id)
        words = _words(ground, config) | {"act": act, "mark": mark.strip(b"\x1e\n").decode()}
        lines = [f"{name}={shlex.quote(word)}" for name, word in words.items()]
        text = "\n".join([*lines, _program()])
        ground.put(container, [StagedFile(_NAME, text.encode("utf-8", "surrogateescape"))])
        result = ground.run(container, _LIMITS, mark, stop)
        said = escape_controls(f"{result.preamble}\n{result.output}").strip()
        if not result.started and result.exit_code in _NO_SHELL:
            return ""  # no script can run either, and the first one says why
        if not result.started:
            raise TransientEngineError(f"A container could not be started. {said}".strip())
        if result.ending is not Ending.EXITED or result.exit_code:
            raise _refused(ground.image, said or result.ending.value.replace("_", " "))
        return said


def _words(ground: Ground, config: Mapping[str, Any]) -> dict[str, str]:
    repo = ground.environment.repo_dir
    return {
        "repo": repo.rstrip("/"),
        "user": str(config.get("User") or ""),
        "home": ground.image.env.get("HOME", "").rstrip("/"),
    }


def _refused(image: Image, why: str) -> SandboxError:
    return SandboxError(
        f"The repository in the image {image.name} cannot be made root's: {why}.",
        hint="Make an image in which the repository belongs to root, for example with"
        " `RUN chown -R root` in a Dockerfile.",
    )


def _program() -> str:
    return resources.files(__package__).joinpath(_NAME).read_text("utf-8")
