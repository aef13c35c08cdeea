"""Images whose repository is compiled: Python's work of importing, done once.

No execution can keep the bytecode that it makes, so each would compile again
what it imports of the repository: 0.9 of the 1.2 s that `import sympy` takes.
Python takes bytecode for fresh by its source's time and size, so what a patch
edits is compiled anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.docker.containers import RunningContainer, tar_of
from sandbox.docker.containers.settings import container_settings, walled
from sandbox.docker.engine.labels import image_labels, label_changes
from sandbox.launch import FOLDER, TO_BASH, StagedFile
from sandbox.protocol import Ending, Limits
from sandbox.supervise import new_mark, supervise

if TYPE_CHECKING:
    from sandbox.docker.containers.ground import Ground
    from sandbox.docker.engine import Image
    from sandbox.docker.images.verdicts import Verdicts
    from sandbox.supervise import Stop

REPOSITORY = "troop/compiled"

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
    """Makes the compiled image of one that holds a repository, or finds it."""

    ground: Ground
    verdicts: Verdicts
    """Where it is kept that an image has nothing to compile."""

    def image(self, stop: Stop) -> Image:
        """The compiled image; the ground's own where there is no Python, or it cannot be made.

        Raises:
            Stopped: the order to stop was given.
            SandboxError: the engine failed.
        """
        engine, base = self.ground.engine, self.ground.image
        digest = self._digest()
        if self.verdicts.is_clean(digest):
            return base
        name = f"{REPOSITORY}:{digest[:24]}"
        if not engine.has_image(name) and not self._make(name, stop):
            self.verdicts.remember(digest)
            return base
        return engine.image(name)

    def _digest(self) -> str:
        environment = self.ground.environment
        parts = [_RECIPE, self.ground.image.id, environment.repo_dir, environment.activate, COMPILE]
        return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()

    def _make(self, name: str, stop: Stop) -> bool:
        ground, mark = self.ground, new_mark()
        settings = container_settings(ground.image, (), ground.labels, {"TERM": "dumb"})
        settings |= {"entrypoint": [""], "command": ["/bin/sh", f"{FOLDER}/compile.sh"]}
        with ground.containers.new(settings, walled(_LIMITS, ground.machine)) as container:
            ground.engine.put(container, tar_of(self._files(mark), FOLDER.strip("/")))
            with contextlib.closing(ground.engine.attach(container)) as output:
                ground.engine.start(container)
                process = RunningContainer(ground.engine, container, output)
                finish = supervise(process, _LIMITS, mark, stop)
            if not finish.started or finish.ending is not Ending.EXITED or finish.exit_code:
                _LOG.info("Nothing is compiled in %s. %s", ground.image.name, finish.preamble)
                return False
            changes = [*label_changes(image_labels("compiled")), 'CMD ["/bin/sh"]']
            ground.engine.commit(container, name, changes)
        return True

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
