"""One instance on this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.codebases.checkout import stored_instead
from data.codebases.commits import open_checkout
from data.codebases.reader import MAX_FILE_BYTES, bounded_key, codebase_from_tar
from data.errors import SandboxError
from sandbox.launch import staged_files
from sandbox.local.folders import copy_tree
from sandbox.local.isolation import new_uid
from sandbox.local.process import Launch, Room, run
from sandbox.protocol import Execution
from sandbox.refusals import why_not_started
from sandbox.starting.starting import new_word
from sandbox.supervise import new_mark

if TYPE_CHECKING:
    from data.codebases.checkout import Checkout
    from data.codebases.codebase import Codebase
    from data.codebases.reader import CodebaseCache
    from data.instances.instance import Environment
    from data.patches.patch import Patch
    from sandbox.local.folders import Folders
    from sandbox.local.isolation import Isolation
    from sandbox.local.template import Template
    from sandbox.protocol import Limits, Script
    from sandbox.supervise import Stop
    from sandbox.workers import Workers


@dataclass(frozen=True, slots=True)
class LocalSandbox:
    """Runs scripts on copies of one commit: `sandbox.protocol.Sandbox`."""

    environment: Environment
    checkout: Checkout
    template: Template
    isolation: Isolation
    folders: Folders
    workers: Workers
    cache: CodebaseCache

    async def read_codebase(self, largest: int = MAX_FILE_BYTES) -> Codebase:
        """All tracked files at the commit."""
        return await self.workers.run(lambda _: self._read(largest))

    async def execute(self, script: Script, patch: Patch, limits: Limits) -> Execution:
        """Run `script` with `patch` laid over a copy of the commit's files.

        `limits.memory_mb` limits the address space of each process; `cpus` limits nothing.

        Raises:
            SandboxError: the machine or the environment failed.
            SandboxUnavailable: there is no such interpreter, so a person has to act.
            UsageError: the patch cannot be laid over the repository.
        """
        return await self.workers.run(lambda stop: self._execute(stop, script, patch, limits))

    async def close(self) -> None:
        """Nothing is held between executions."""

    def _read(self, largest: int) -> Codebase:
        key = bounded_key(f"git:{self.checkout.key}", largest)
        codebase = self.cache.get(key)
        if codebase is None:
            with open_checkout(self.checkout) as tar:
                instead = stored_instead(self.checkout)
                codebase = codebase_from_tar(tar, instead=instead, largest=largest)
            self.cache.put(key, codebase)
        return codebase

    def _execute(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> Execution:
        uid = new_uid(self.isolation)
        mark, word = new_mark(), new_word(script)
        with self.folders.new() as folder:
            repo_dir = self.environment.repo_dir
            room = Room(folder, folder / "repo", self.template.venv, self.isolation, repo_dir, uid)
            environment = replace(self.environment, repo_dir=room.repo_dir)
            # Before the copy, because a patch may be refused.
            files = staged_files(environment, script, patch, mark, word=word, folder=room.tools_dir)
            copy_tree(self.template.repo, room.repo, uid)
            stop.check()
            result = run(room, Launch("launch.sh", files, mark, limits, word=word), stop)
        if not result.started:
            where = f"the commit {self.checkout.commit[:12]}"
            raise why_not_started(
                result, environment, script, where, programs="the local sandbox"
            ) or SandboxError(
                f"The script was not started (exit code {result.exit_code})."
                f" {result.preamble}".strip()
            )
        return Execution(
            ending=result.ending,
            exit_code=result.exit_code,
            output=result.output,
            output_bytes=result.output_bytes,
            duration_s=result.duration_s,
        )
