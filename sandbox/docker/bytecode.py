"""Images whose repository is compiled, so that Python compiles it only once.

An execution cannot keep the bytecode that it makes, so each would compile again
what it imports of the repository: 0.9 of the 1.2 s that `import sympy` takes.
Python decides by its source's time and size whether bytecode is up to date, so
files that a patch edits are compiled again.
"""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.docker.containers.settings import walled
from sandbox.docker.images.made import Recipe, digest_of
from sandbox.launch import FOLDER, TO_BASH, StagedFile
from sandbox.protocol import Ending, Limits
from sandbox.supervise import new_mark

if TYPE_CHECKING:
    from sandbox.docker.containers.ground import Ground
    from sandbox.docker.engine import Image
    from sandbox.docker.images.made import Maker
    from sandbox.supervise import Stop

COMPILE = """\
if command -v python >/dev/null 2>&1; then
  if [ -d .git ]; then mkdir -p .git/info && printf '__pycache__/\\n' >>.git/info/exclude; fi
  python -m compileall -q -j 0 . >/dev/null 2>&1 || : # not every file need be a program
fi
"""
"""Shell lines that compile the folder they run in, out of git's sight."""

_PROGRAM = """\
{to_bash}
exec 2>&1 </dev/null
cd {repo} && [ -n "$(ls -d ./*.py ./*/*.py ./*/*/*.py 2>/dev/null)" ] || exit 3
. {folder}/activate.sh
command -v python >/dev/null || exit 3
printf '\\036%s\\n' {mark}
cd {repo} || exit 3
{compile}
rm -rf {folder}/*
exit 0
"""
_RECIPE = 1
_LIMITS = Limits(timeout_s=600, memory_mb=4096, disk_mb=4096, cpus=64)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bytecode:
    """Makes, or finds, the compiled image for an image that holds a repository."""

    ground: Ground
    maker: Maker

    def image(self, stop: Stop) -> Image:
        """The compiled image; the ground's own if there is no Python or it cannot be made.

        Raises:
            Stopped: the order to stop was given.
            SandboxError: the engine failed.
        """
        environment, base = self.ground.environment, self.ground.image
        digest = digest_of(_RECIPE, base.id, environment.repo_dir, environment.activate, COMPILE)
        recipe = Recipe("compiled", digest, lambda recipe: self._make(recipe, stop))
        return self.maker.image(recipe, stop) or base

    def _make(self, recipe: Recipe, stop: Stop) -> str | None:
        ground, mark = self.ground, new_mark()
        host = walled(_LIMITS, ground.machine)
        with ground.container("compile.sh", host, {"TERM": "dumb"}) as container:
            ground.put(container, self._files(mark))
            result = ground.run(container, _LIMITS, mark, stop)
            if not result.started or result.ending is not Ending.EXITED or result.exit_code:
                _LOG.info("Nothing is compiled in %s. %s", ground.image.name, result.preamble)
                return None
            return ground.engine.commit(container, "", [*recipe.labels, 'CMD ["/bin/sh"]'])

    def _files(self, mark: bytes) -> list[StagedFile]:
        environment = self.ground.environment
        text = _PROGRAM.format(
            to_bash=TO_BASH,
            repo=shlex.quote(environment.repo_dir),
            folder=FOLDER,
            mark=mark.strip().decode(),
            compile=COMPILE,
        )
        activate = StagedFile("activate.sh", environment.activate.encode() + b"\n")
        return [StagedFile("compile.sh", text.encode()), activate]
