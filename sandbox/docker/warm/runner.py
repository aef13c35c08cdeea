"""Executes scripts on one image in warm containers."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.patches.patch import UNEDITED
from sandbox.docker.containers import retrying
from sandbox.docker.containers.settings import container_settings, script_variables, walled_warm
from sandbox.docker.engine.failure import SettingsRefused, TransientEngineError
from sandbox.docker.warm.activation import only_sets_variables, variables_of
from sandbox.docker.warm.channel import Channel
from sandbox.docker.warm.container import NotWarm, StagedScript, WarmContainer
from sandbox.docker.warm.listening import Raw, new_mark
from sandbox.docker.warm.program import new_path, program_for, tar_of_program
from sandbox.launch import script_files
from sandbox.protocol import Script
from sandbox.refusals import activates, why_not_started
from sandbox.starting.starting import hidden_by, new_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.patches.patch import Patch
    from sandbox.docker.containers.ground import Ground
    from sandbox.docker.warm.pool import Pool
    from sandbox.protocol import Limits
    from sandbox.supervise import ProcessResult, Stop

_ENVIRON = Script("", interpreter="cat /proc/self/environ")
_ENVIRON_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WarmKey:
    """What a container is made for. Only executions with an equal key may use it."""

    sandbox: str
    memory_mb: int
    processes: int
    disk_mb: int
    file_mb: int
    cpus: float


@dataclass(slots=True)
class WarmRunner:
    """Executes scripts on one image. Safe to use in several threads."""

    ground: Ground
    pool: Pool
    proven: bool = False
    """Whether a container of this image has worked."""
    _variables: Mapping[str, str | None] | None = None
    _activating: threading.Lock = field(default_factory=threading.Lock)
    _name: str = field(default_factory=new_mark)

    def execute(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> ProcessResult:
        """Run `script` with `patch`. A transient failure of the engine gets a new container.

        Raises:
            NotWarm: warm containers do not work on this image or this engine.
            Stopped: the order to stop was given. Nothing is left behind.
            SandboxError: the engine or the environment failed.
            UsageError: the patch cannot be laid over the repository.
        """
        try:
            return retrying(stop, self.ground.engine)(self._attempt, stop, script, patch, limits)
        except SettingsRefused as error:
            raise NotWarm(error.message, anywhere=True) from error
        except TransientEngineError as error:
            if self.proven:
                raise
            raise NotWarm(error.message) from error

    def close(self) -> None:
        """End the idle containers."""
        self.pool.drop(lambda key: isinstance(key, WarmKey) and key.sandbox == self._name)

    def _attempt(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> ProcessResult:
        key = WarmKey(
            self._name,
            limits.memory_mb,
            limits.processes,
            limits.disk_mb,
            limits.file_mb,
            limits.cpus,
        )
        container = self.pool.take(key) or self._start(stop, limits)
        try:
            result = self._run(stop, container, script, patch, limits)
        except BaseException as error:
            container.close()
            if isinstance(error, TransientEngineError):
                # What ended this container may have ended all.
                self.close()
            raise
        self.pool.give(key, container)
        if not result.started:
            raise why_not_started(
                result, self.ground.environment, script, f"the image {self.ground.image.name}"
            ) or TransientEngineError(
                f"A container of the image {self.ground.image.name} did not start the script"
                f" (exit {result.exit_code}). {result.preamble}".strip(),
                hint="Look at the engine's log (`journalctl -u docker`).",
            )
        self.proven = True
        return result

    def _run(
        self, stop: Stop, container: WarmContainer, script: Script, patch: Patch, limits: Limits
    ) -> ProcessResult:
        variables = self._entered(stop, container, limits)
        to_lay = container.lay(stop, self.ground.environment, patch)
        mark, word = new_mark(), new_word(script)
        files = script_files(
            self.ground.environment,
            script,
            to_lay,
            mark.encode(),
            variables or self._plain(),
            word=word,
            activate=variables is None,
            hidden=hidden_by(patch),
        )
        return container.execute(stop, StagedScript(files, mark, word), patch, limits)

    def _start(self, stop: Stop, limits: Limits) -> WarmContainer:
        processor = self.ground.machine.processor
        program, path = program_for(processor), new_path()
        if not self.ground.machine.seccomp:
            why = "the engine takes Troop's seccomp profile only from a file of its own machine"
            raise NotWarm(why, anywhere=True)
        if program is None:
            why = "there is no supervisor for the engine's processor, "
            raise NotWarm(why + (processor or "which it does not name"), anywhere=True)
        settings = container_settings(self.ground.image, (path,), self.ground.labels, {})
        host = walled_warm(limits, self.ground.machine)
        with contextlib.ExitStack() as stack:
            container = self.ground.containers.create(settings | {"stdin_open": True}, host)
            stack.callback(self.ground.containers.remove, container)
            self.ground.engine.put(container, tar_of_program(program, path))
            stop.check()
            channel = Channel(self.ground.engine.attach(container, stdin=True))
            stack.callback(channel.hang_up)
            self.ground.engine.start(container)
            warm = WarmContainer(container, channel, self.ground.containers.remove)
            warm.hello(stop, limits)
            stack.pop_all()
        return warm

    def _plain(self) -> dict[str, str | None]:
        return dict(script_variables(self.ground.image, self.ground.environment.repo_dir))

    def _entered(
        self, stop: Stop, container: WarmContainer, limits: Limits
    ) -> Mapping[str, str | None] | None:
        """The variables of the entered environment; None: the lines have to run each time."""
        if not activates(self.ground.environment):
            return self._plain()
        if not only_sets_variables(self.ground.environment.activate):
            return None
        with self._activating:
            if self._variables is None:
                self._variables = self._enter(stop, container, limits)
        return self._variables or None

    def _enter(
        self, stop: Stop, container: WarmContainer, limits: Limits
    ) -> Mapping[str, str | None]:
        """Enter the environment once; {}: that failed, and the script itself will report it."""
        plain = self._plain()
        mark = new_mark()
        files = script_files(
            self.ground.environment,
            _ENVIRON,
            UNEDITED,
            mark.encode(),
            plain,
            word="",
            activate=True,
        )
        raw = Raw(_ENVIRON_BYTES)
        result = container.execute(stop, StagedScript(files, mark), UNEDITED, limits, raw)
        if not container.usable or result.exit_code != 0:
            return {}
        found = variables_of(bytes(raw.data))
        return dict.fromkeys(plain) | found
