"""One instance in Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.docker.codebase import CodebaseSource
from sandbox.docker.containers import retrying

if TYPE_CHECKING:
    from data.codebase import Codebase
    from data.codebase_reader import CodebaseCache
    from data.patch import Patch
    from sandbox.docker.oneshot import OneShot
    from sandbox.protocol import Execution, Limits, Script
    from sandbox.supervise import Stop
    from sandbox.workers import Workers


class DockerSandbox:
    """Runs scripts on one image: `sandbox.protocol.Sandbox`."""

    def __init__(self, runner: OneShot, workers: Workers, cache: CodebaseCache) -> None:
        self._runner = runner
        self._workers = workers
        self._cache = cache

    async def read_codebase(self) -> Codebase:
        """The tracked files of the repository in the image, kept by image and folder."""
        return await self._workers.run(self._read)

    async def execute(self, script: Script, patch: Patch, limits: Limits) -> Execution:
        """Run `script` with `patch` in a container of its own.

        Raises:
            SandboxError: the engine or the environment failed.
            SandboxUnavailable: a person has to act: engine, image, interpreter.
            UsageError: the patch cannot be laid over the repository.
        """
        return await self._workers.run(
            lambda stop: self._runner.execute(stop, script, patch, limits)
        )

    async def close(self) -> None:
        """Nothing is held between executions."""

    def _read(self, stop: Stop) -> Codebase:
        runner = self._runner
        repo_dir = runner.environment.repo_dir
        key = f"{runner.image.id}:{repo_dir}"
        known = self._cache.get(key)
        if known is not None:
            return known
        source = CodebaseSource(
            runner.engine, runner.containers, runner.image, repo_dir, runner.labels
        )
        codebase = retrying(stop)(source.read, stop)
        self._cache.put(key, codebase)
        return codebase
