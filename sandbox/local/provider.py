"""The provider of local sandboxes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Self

from data.codebases.checkout import read_checkout
from data.codebases.reader import CodebaseCache
from data.errors import UsageError
from sandbox.capacity import slots_here
from sandbox.local.folders import Folders, local_folder, remove_dead_owners
from sandbox.local.isolation import Isolation, best, can_hold
from sandbox.local.sandbox import LocalSandbox
from sandbox.local.template import Templates
from sandbox.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from data.instances.instance import Instance
    from sandbox.protocol import Limits
    from sandbox.supervise import Stop

_LOG = logging.getLogger(__name__)
_WALLS = {
    Isolation.ROOT: "own namespaces and an own user id, no network, read-only system",
    Isolation.USER: "own namespaces, no network, read-only system",
    Isolation.NONE: "NO isolation: scripts can use the network and read this user's files",
}


class LocalProvider:
    """Opens sandboxes on this machine, for instances with a git repository as their source.

    The isolation is weaker than in a container: memory is limited per process, not in
    all, and processors are not limited.
    """

    kind = "local"

    def __init__(
        self,
        *,
        slots: int = 16,
        isolation: Isolation | None = None,
        folder: Path | None = None,
        cache: CodebaseCache | None = None,
        reason: str = "",
    ) -> None:
        """Does nothing before the provider is entered.

        `slots`: how many executions may run at once; `isolation`: None tries what the
        kernel can do; `folder`: for templates and copies (default: `troop/local` in the
        user's cache folder); `reason`: why it is used, for people.
        """
        self._slots = slots
        self._isolation = isolation
        self._folder = folder or local_folder()
        self._cache = cache or CodebaseCache()
        self._reason = reason
        self._folders: Folders | None = None
        self._workers: Workers | None = None

    def describe(self) -> str:
        """One line for people: what runs scripts, and how well it is isolated."""
        wall = _WALLS[self._isolation] if self._isolation else "isolated as far as the kernel can"
        because = f" ({self._reason})" if self._reason else ""
        return f"local: a copy per execution, {wall}, memory limited per process{because}"

    def slots(self, limits: Limits) -> int:
        """By this machine's cores and memory."""
        return slots_here(limits)

    async def __aenter__(self) -> Self:
        """Find out how the kernel can isolate scripts, and remove what dead owners left."""
        self._workers = Workers(self._slots)
        self._folders = await asyncio.to_thread(self._begin)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove all copies; templates stay for the next time."""
        workers, folders = self._workers, self._folders
        self._workers = self._folders = None
        if workers is not None:
            await asyncio.to_thread(workers.close)
        if folders is not None:
            await asyncio.to_thread(folders.close)

    def expect(self, instances: Sequence[Instance]) -> None:
        """Nothing has to be fetched."""

    async def open(
        self,
        instance: Instance,
        *,
        run: str,  # noqa: ARG002 - what is made here carries its owner's name only
        tell: Callable[[str], None] | None = None,
    ) -> LocalSandbox:
        """A sandbox for `instance`. Its setup is run if that was not done before.

        Raises:
            UsageError: its source is not a git repository, its `repo_dir` cannot be
                shown to scripts, or the setup failed.
        """
        environment = instance.environment
        workers, folders, isolation = self._workers, self._folders, self._isolation
        if workers is None or folders is None or isolation is None:
            raise RuntimeError("a provider opens sandboxes only while it is entered")
        source = _source(instance)
        templates = Templates(self._folder / "templates", isolation)

        def prepare(stop: Stop) -> LocalSandbox:
            if tell:
                tell("preparing the environment")
            checkout = read_checkout(source, instance.base_commit)
            return LocalSandbox(
                environment=environment,
                checkout=checkout,
                template=templates.get(environment, checkout, stop),
                isolation=isolation,
                folders=folders,
                workers=workers,
                cache=self._cache,
            )

        return await workers.run(prepare)

    def _begin(self) -> Folders:
        self._isolation = self._isolation or best()
        running = self._folder / "running"
        removed = remove_dead_owners(running)
        if removed:
            _LOG.info("Removed the folders of %d dead owners", len(removed))
        return Folders(running)


def _source(instance: Instance) -> Path:
    """The repository of an instance, if the local sandbox can hold it."""
    environment = instance.environment
    if environment.source is None:
        raise UsageError(
            f"{instance.instance_id} is in an image, which the local sandbox cannot use.",
            hint="Use the Docker sandbox, or give a git repository on this machine.",
        )
    if not can_hold(environment.repo_dir):
        raise UsageError(
            f"The local sandbox cannot show a repository at {environment.repo_dir!r}.",
            hint="Give an absolute `repo_dir` outside the system's folders, like /testbed.",
        )
    return environment.source
