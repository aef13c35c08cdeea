"""One instance in Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.codebases.reader import MAX_FILE_BYTES, bounded_key
from data.errors import SandboxUnavailable
from sandbox.docker.codebase import CodebaseSource
from sandbox.docker.containers import retrying
from sandbox.docker.warm.container import NotWarm
from sandbox.protocol import Execution

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.codebases.codebase import Codebase
    from data.codebases.reader import CodebaseCache
    from data.patches.patch import Patch
    from sandbox.docker.images import Images
    from sandbox.docker.oneshot import OneShot
    from sandbox.docker.warm.runner import WarmRunner
    from sandbox.protocol import Limits, Script
    from sandbox.supervise import ProcessResult, Stop
    from sandbox.workers import Workers


class DockerSandbox:
    """Runs scripts on one image: `sandbox.protocol.Sandbox`.

    It uses warm containers if the engine and the image allow it, else a new container
    for each script.
    """

    def __init__(
        self,
        warm: WarmRunner | None,
        plain: OneShot,
        workers: Workers,
        *,
        cache: CodebaseCache,
        images: Images,
        fell_back: Callable[[NotWarm], None],
    ) -> None:
        """`images`: where the image is given back; `fell_back`: called with why nothing is warm."""
        self._warm = warm
        self._plain = plain
        self._workers = workers
        self._cache = cache
        self._images = images
        self._open = True
        self._fell_back = fell_back

    @property
    def image_name(self) -> str:
        """The image that scripts run on: the instance's own, or one made from it."""
        return self._plain.ground.image.name

    async def read_codebase(self, largest: int = MAX_FILE_BYTES) -> Codebase:
        """The tracked files of the repository in the image, cached by image and folder."""
        return await self._workers.run(lambda stop: self._read(stop, largest))

    async def execute(self, script: Script, patch: Patch, limits: Limits) -> Execution:
        """Run `script` with `patch` on a file system of its own.

        Raises:
            SandboxError: the engine or the environment failed.
            SandboxUnavailable: a person has to act on the engine, image or interpreter.
            UsageError: the patch cannot be laid over the repository.
        """
        result = await self._workers.run(lambda stop: self._execute(stop, script, patch, limits))
        return Execution(
            ending=result.ending,
            exit_code=result.exit_code,
            output=result.output,
            output_bytes=result.output_bytes,
            duration_s=result.duration_s,
        )

    async def close(self) -> None:
        """End the containers that wait for another script, and give the image back."""
        if self._open:
            self._open = False
            await self._workers.run(lambda _: self._end())

    def _execute(self, stop: Stop, script: Script, patch: Patch, limits: Limits) -> ProcessResult:
        try:
            warm = self._warm
            if warm is not None:
                try:
                    return warm.execute(stop, script, patch, limits)
                except NotWarm as reason:
                    self._warm = None
                    self._fell_back(reason)
            return self._plain.execute(stop, script, patch, limits)
        except SandboxUnavailable as error:
            # People know the image by its name.
            image = self._plain.ground.image
            raise type(error)(
                error.message.replace(image.id, image.name),
                hint=error.hint.replace(image.id, image.name),
            ) from error

    def _end(self) -> None:
        if self._warm is not None:
            self._warm.close()
        self._images.release(self._plain.ground.image)

    def _read(self, stop: Stop, largest: int) -> Codebase:
        ground = self._plain.ground
        repo_dir = ground.environment.repo_dir
        key = bounded_key(f"{ground.image.id}:{repo_dir}", largest)
        known = self._cache.get(key)
        if known is not None:
            return known
        source = CodebaseSource(ground)
        codebase = retrying(stop, ground.engine)(source.read, stop, largest)
        self._cache.put(key, codebase)
        return codebase
