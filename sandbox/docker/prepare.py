"""Images for a person's own repository: its commit is laid on an image, its setup run once."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.codebases.commits import open_checkout
from sandbox.docker.bytecode import COMPILE
from sandbox.docker.containers.settings import walled_setup
from sandbox.docker.images.made import Recipe, digest_of
from sandbox.setup import COMMIT, SETUP_LIMITS, check_setup, setup_files, wanted
from sandbox.supervise import new_mark

if TYPE_CHECKING:
    from sandbox.docker.containers.ground import Ground
    from sandbox.docker.engine import Image
    from sandbox.docker.images.made import Maker
    from sandbox.supervise import Stop

_RECIPE = 2
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes prepared images, or finds those made before."""

    ground: Ground
    maker: Maker

    def image(self, stop: Stop) -> Image:
        """The image that holds the ground's checkout with its setup done.

        Raises:
            UsageError: git cannot read the checkout, or the setup failed.
            SandboxError: the engine failed.
        """
        environment, base = self.ground.environment, self.ground.image
        key = self.ground.checkout.key if self.ground.checkout else ""
        parts = [_RECIPE, base.id, key, environment.repo_dir]
        if wanted(environment):
            parts += [environment.activate, environment.setup]
        digest = digest_of(*parts)
        recipe = Recipe("prepared", digest, lambda recipe: self._make(recipe, stop))
        return self.maker.image(recipe, stop) or base

    def _make(self, recipe: Recipe, stop: Stop) -> str:
        ground, environment, mark = self.ground, self.ground.environment, new_mark()
        _LOG.info("Preparing %s from %s", recipe.name, ground.image.name)
        files = setup_files(
            environment, mark, first=COMMIT if ground.checkout else "", last=COMPILE
        )
        with contextlib.ExitStack() as stack:
            network = "none"
            if wanted(environment):
                network = stack.enter_context(ground.containers.network(ground.labels))
            host = walled_setup(ground.machine, network)
            new = ground.container("prepare.sh", host, {"TERM": "dumb"})
            container = stack.enter_context(new)
            if ground.checkout:
                prefix = environment.repo_dir.strip("/")
                with open_checkout(ground.checkout, prefix) as tar:
                    ground.engine.put(container, tar)
            stop.check()
            ground.put(container, files)
            result = ground.run(container, SETUP_LIMITS, mark, stop)
            check_setup(result, environment, f"the image {ground.image.name}")
            return ground.engine.commit(container, "", [*recipe.labels, 'CMD ["/bin/sh"]'])
