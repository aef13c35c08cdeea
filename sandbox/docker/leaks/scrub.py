"""Images without later history, each made once from an image that has it."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.docker.containers.settings import walled, walled_setup
from sandbox.docker.images.made import Recipe, digest_of, start_lines
from sandbox.docker.leaks.inside import run_inside
from sandbox.docker.leaks.leftovers import shell_text
from sandbox.docker.leaks.report import MOST_OBJECTS, Report, read_report
from sandbox.launch import FOLDER, StagedFile
from sandbox.protocol import Limits

if TYPE_CHECKING:
    from sandbox.docker.containers.ground import Ground
    from sandbox.docker.engine import Image
    from sandbox.docker.images.made import Maker
    from sandbox.supervise import Stop

_RECIPE = 1
_LOOK_S = 600.0
_CUT_S = 3600.0
_LIMITS = Limits(memory_mb=2048)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scrub:
    """Finds or makes the image that scripts may see, from one that may hold later history.

    It hides all of git's history except the current commit of the repository, which
    becomes shallow, and the files in `leftovers.py`. The working tree stays as it is.
    It does not find another version of the project that was installed or unpacked
    elsewhere without its history.
    """

    ground: Ground
    """The ground whose image may hold later history."""
    maker: Maker

    def image(self, stop: Stop) -> Image:
        """The ground's image if there is nothing to hide, else the image made from it.

        Raises:
            Stopped: the order to stop was given.
            SandboxError: the engine failed, or something cannot be hidden.
        """
        return self.maker.image(self.recipe(stop), stop) or self.ground.image

    def recipe(self, stop: Stop) -> Recipe:
        """How the other image is made."""
        base = self.ground.image
        before: list[Report] = []

        def make(recipe: Recipe) -> str | None:
            before.append(self._look(base, stop))
            findings = before[-1].findings()
            if not findings:
                return None
            _LOG.info("%s holds what is to be hidden: %s", base.name, "; ".join(findings))
            return self._make(recipe, stop)

        return Recipe(
            "scrubbed",
            digest_of(_RECIPE, base.id, self.ground.environment.repo_dir, *_programs().values()),
            make,
            check=lambda made: _audit(base.name, before[-1], self._look(made, stop)),
        )

    def _look(self, image: Image, stop: Stop) -> Report:
        # With the rights of a script, because what a script cannot read need not be hidden.
        ground = replace(self.ground, image=image)
        with ground.container("look.sh", walled(_LIMITS, ground.machine)) as container:
            self._put("look.sh", container)
            return read_report(run_inside(ground.engine, container, _LOOK_S, stop))

    def _make(self, recipe: Recipe, stop: Stop) -> str:
        engine, base = self.ground.engine, self.ground.image
        with self.ground.container("cut.sh", walled_setup(self.ground.machine)) as container:
            self._put("cut.sh", container)
            done = run_inside(engine, container, _CUT_S, stop)
            _LOG.info("%s for %s: %s", recipe.name, base.name, "; ".join(done.splitlines()))
            start = start_lines(engine.image_config(base.id))
            return engine.commit(container, "", [*recipe.labels, *start])

    def _put(self, program: str, container: str) -> None:
        repo_dir = shlex.quote(self.ground.environment.repo_dir)
        text = "\n".join(
            [
                f"troop={FOLDER} repo={repo_dir} most={MOST_OBJECTS}",
                _programs()["leftovers"],
                _programs()["gits.sh"],
                _programs()[program],
            ]
        )
        file = StagedFile(program, text.encode("utf-8", "surrogateescape"))
        self.ground.put(container, [file])


def _programs() -> dict[str, str]:
    folder = resources.files(__package__)
    names = ("gits.sh", "look.sh", "cut.sh")
    return {
        "leftovers": shell_text(),
        **{name: folder.joinpath(name).read_text("utf-8") for name in names},
    }


def _audit(name: str, before: Report, after: Report) -> None:
    """Refuse an image that still reveals something, or whose repository has changed.

    Raises:
        SandboxError: the image is refused.
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
            hint="Look into the image; a damaged repository in it has to be repaired or removed.",
        )
