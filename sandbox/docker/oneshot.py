"""One new container for each execution, which is simple and leaves nothing to clean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import SandboxUnavailable
from sandbox.docker.containers import retrying
from sandbox.docker.containers.settings import container_settings, script_env, walled
from sandbox.docker.engine.failure import TransientEngineError
from sandbox.launch import FOLDER, staged_files
from sandbox.refusals import why_not_started
from sandbox.starting.starting import new_word
from sandbox.supervise import new_mark

if TYPE_CHECKING:
    from data.patches.patch import Patch
    from sandbox.docker.containers.ground import Ground
    from sandbox.protocol import Limits, Script
    from sandbox.supervise import ProcessResult, Stop

_GRACE_S = 15.0
_COMMAND = ("/bin/sh", f"{FOLDER}/launch.sh")
_NOT_RUNNABLE = frozenset({126, 127})


@dataclass(frozen=True, slots=True)
class OneShot:
    """Executes scripts on one image. Safe to use in several threads."""

    ground: Ground

    def execute(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> ProcessResult:
        """Run `script` with `patch`. A transient failure of the engine gets a new container.

        Raises:
            Stopped: the order to stop was given. Nothing is left behind.
            SandboxError: the engine or the environment failed.
            UsageError: the patch cannot be laid over the repository.
        """
        return retrying(stop, self.ground.engine)(self._attempt, stop, script, patch, limits)

    def close(self) -> None:
        """Nothing is held between executions."""

    def _attempt(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> ProcessResult:
        mark = new_mark()
        guard_s = limits.timeout_s + _GRACE_S
        word = new_word(script)
        files = staged_files(
            self.ground.environment, script, patch, mark, word=word, guard_s=guard_s
        )
        env = script_env(self.ground.image, self.ground.environment.repo_dir)
        settings = container_settings(self.ground.image, _COMMAND, self.ground.labels, env)
        with self.ground.containers.new(settings, walled(limits, self.ground.machine)) as container:
            stop.check()
            self.ground.put(container, files)
            stop.check()
            result = self.ground.run(container, limits, mark, stop, word)
        if not result.started:
            raise self._why(result, script)
        return result

    def _why(self, result: ProcessResult, script: Script) -> Exception:
        where = f"the image {self.ground.image.name}"
        if result.exit_code in _NOT_RUNNABLE and "launch.sh" not in result.preamble:
            return SandboxUnavailable(
                f"T{where[1:]} has no working /bin/sh. {result.preamble}".strip(),
                hint="Scripts are started by a shell: use an image that has one.",
            )
        known = why_not_started(result, self.ground.environment, script, where)
        return known or TransientEngineError(
            f"A container of {where} ended before its script was started"
            f" (exit {result.exit_code}). {result.preamble}".strip(),
            hint="Look at the engine's log (`journalctl -u docker`).",
        )
