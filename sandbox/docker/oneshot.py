"""One new container for each execution: simple, and nothing to clean."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import SandboxUnavailable
from sandbox.docker.containers import RunningContainer, retrying, tar_of
from sandbox.docker.failure import TransientEngineError
from sandbox.docker.settings import container_settings, script_env, walled
from sandbox.launch import FOLDER, staged_files, why_not_started
from sandbox.protocol import Execution
from sandbox.supervise import new_mark, supervise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.instance import Environment
    from data.patch import Patch
    from sandbox.docker.containers import Containers
    from sandbox.docker.engine import Engine, Image
    from sandbox.protocol import Limits, Script
    from sandbox.supervise import Finish, Stop

_GRACE_S = 15.0
_COMMAND = ("/bin/sh", f"{FOLDER}/launch.sh")
_NOT_RUNNABLE = frozenset({126, 127})


@dataclass(frozen=True, slots=True)
class OneShot:
    """Executes scripts on one image. Safe to use in several threads."""

    engine: Engine
    containers: Containers
    image: Image
    environment: Environment
    labels: Mapping[str, str]
    cpus: int

    def execute(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> Execution:
        """Run `script` with `patch`; a passing failure of the engine gets a new container.

        Raises:
            Stopped: the order to stop was given; nothing is left.
            SandboxError: the engine or the environment failed.
            UsageError: the patch cannot be laid over the repository.
        """
        try:
            finish = retrying(stop)(self._attempt, stop, script, patch, limits)
        except SandboxUnavailable as error:
            # People know the image by its name.
            raise SandboxUnavailable(
                error.message.replace(self.image.id, self.image.name),
                mend=error.mend.replace(self.image.id, self.image.name),
            ) from error
        return Execution(
            ending=finish.ending,
            exit_code=finish.exit_code,
            output=finish.output,
            output_bytes=finish.output_bytes,
            duration_s=finish.duration_s,
        )

    def _attempt(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> Finish:
        mark = new_mark()
        guard_s = limits.timeout_s + _GRACE_S
        files = staged_files(self.environment, script, patch, mark, guard_s=guard_s)
        env = script_env(self.image, self.environment.repo_dir)
        settings = container_settings(self.image, _COMMAND, self.labels, env)
        with self.containers.new(settings, walled(limits, self.cpus)) as container:
            stop.check()
            self.engine.put(container, tar_of(files, FOLDER.strip("/")))
            stop.check()
            with contextlib.closing(self.engine.attach(container)) as output:
                self.engine.start(container)
                process = RunningContainer(self.engine, container, output)
                finish = supervise(process, limits, mark, stop)
        if not finish.started:
            raise self._why(finish, script)
        return finish

    def _why(self, finish: Finish, script: Script) -> Exception:
        where = f"the image {self.image.name}"
        if finish.exit_code in _NOT_RUNNABLE and "launch.sh" not in finish.preamble:
            return SandboxUnavailable(
                f"The image {self.image.name} has no working /bin/sh. {finish.preamble}".strip(),
                mend="Scripts are started by a shell: use an image that has one.",
            )
        known = why_not_started(finish, self.environment, script, where)
        return known or TransientEngineError(
            f"A container of {where} ended before its script was started"
            f" (exit {finish.exit_code}). {finish.preamble}".strip(),
            mend="Look at the engine's log (`journalctl -u docker`).",
        )
