"""The provider of Docker sandboxes."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from data.codebases.checkout import read_checkout
from data.codebases.reader import CodebaseCache
from data.errors import SandboxError, SandboxUnavailable, UsageError
from sandbox.capacity import slots_here, slots_of
from sandbox.docker.bytecode import Bytecode
from sandbox.docker.containers import Containers, retrying
from sandbox.docker.containers.ground import Ground
from sandbox.docker.containers.settings import Machine
from sandbox.docker.engine import Engine
from sandbox.docker.engine.failure import EngineUnreachable, NoSpace
from sandbox.docker.engine.labels import container_labels, reap_dead_owners
from sandbox.docker.images import Images, in_words
from sandbox.docker.images.images import engine_ledger
from sandbox.docker.images.made import Maker, Verdicts
from sandbox.docker.leaks import Scrub
from sandbox.docker.oneshot import OneShot
from sandbox.docker.ownership import Ownership
from sandbox.docker.prepare import Preparation
from sandbox.docker.sandbox import DockerSandbox
from sandbox.docker.warm.pool import Pool
from sandbox.docker.warm.runner import WarmRunner
from sandbox.image_settings import ImageSettings
from sandbox.owner import this_process
from sandbox.setup import wanted
from sandbox.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from data.instances.instance import Instance
    from sandbox.docker.engine import Image
    from sandbox.docker.warm.container import NotWarm
    from sandbox.protocol import Limits
    from sandbox.supervise import Stop

_IDLE_CONTAINERS = 32
_OWN_WAYS = (
    "Name an image that is here (`--image NAME`; `docker images` lists them), or work without"
    " images: `--sandbox local`."
)
_DATASET_WAYS = (
    "Bring the image from a machine that has it (`docker save`, `docker load`);"
    " `troop data check` lists which are missing."
)
_LOG = logging.getLogger(__name__)


class DockerProvider:
    """Opens sandboxes in Docker containers: `sandbox.protocol.SandboxProvider`.

    The engine is the one that DOCKER_HOST or the current Docker context names.
    """

    kind = "docker"

    def __init__(
        self,
        *,
        slots: int = 64,
        connect: Callable[[], Engine] | None = None,
        cache: CodebaseCache | None = None,
        verdicts: Verdicts | None = None,
        images: ImageSettings | None = None,
        warm: bool = True,
        pristine: bool = False,
    ) -> None:
        """Does not connect before the provider is entered.

        `slots`: how many executions may run at once; `connect`: for an engine other
        than the environment's; `cache`: where codebases are kept; `verdicts`: where
        it is kept which images leak nothing; `images`: how images are pulled and
        removed; `warm`: False for a new container for each script, even where warm
        ones would work; `pristine`: images are used as they are, with their whole
        git history, as graders need them.
        """
        self._slots = slots
        self._connect = connect or (lambda: Engine.connect(connections=2 * slots))
        self._cache = cache or CodebaseCache()
        self._verdicts = verdicts or Verdicts()
        self._image_settings = images or ImageSettings()
        self._connection: _Connection | None = None
        self._why_not_warm = "" if warm else "it was asked for"
        self._pristine = pristine

    def describe(self) -> str:
        """One line for people: what runs scripts, and how well it is isolated."""
        version = self._connection.version if self._connection else ""
        name = f"Docker {version}".strip()
        return f"{name}: a throwaway file system per execution, no network, no capabilities"

    def slots(self, limits: Limits) -> int:
        """By the engine's cores and memory."""
        if self._connection is None:
            return slots_here(limits)
        machine = self._connection.machine
        return slots_of(machine.cpus, machine.memory_mb, limits)

    async def __aenter__(self) -> Self:
        """Connect, and remove the containers that dead owners left.

        Raises:
            SandboxUnavailable: no engine answers, or not to this user.
            SandboxError: the engine failed.
        """
        self._connection = await asyncio.to_thread(self._begin)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove whatever this provider still holds."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await asyncio.to_thread(connection.end)

    def expect(self, instances: Sequence[Instance]) -> None:
        """Pull the instances' images in the background, a few ahead.

        Raises:
            RuntimeError: the provider has not been entered.
        """
        names = (instance.environment.image for instance in instances)
        self._entered().images.prefetch([name for name in names if name])

    async def open(
        self, instance: Instance, *, run: str, tell: Callable[[str], None] | None = None
    ) -> DockerSandbox:
        """A sandbox for `instance`. Its image is pulled if it is missing.

        Raises:
            SandboxUnavailable: there is no such image, here or in its registry.
            SandboxError: the engine failed.
            UsageError: the instance names no image, or its setup failed.
        """
        here = self._entered()
        labels = container_labels(this_process(), run, instance.instance_id)
        ground = await here.workers.run(
            lambda stop: self._ground(here, instance, labels, stop, tell or _tell_nobody)
        )
        warm = None if self._why_not_warm else WarmRunner(ground, here.pool)
        return DockerSandbox(
            warm,
            OneShot(ground),
            here.workers,
            cache=self._cache,
            images=here.images,
            fell_back=self._fell_back,
        )

    def _entered(self) -> _Connection:
        if self._connection is None:
            raise RuntimeError("a provider opens sandboxes only while it is entered")
        return self._connection

    def _fell_back(self, reason: NotWarm) -> None:
        if reason.anywhere:
            self._why_not_warm = str(reason)
        _LOG.warning("Each script gets a new container, which takes longer: %s", reason)

    def _ground(
        self,
        here: _Connection,
        instance: Instance,
        labels: Mapping[str, str],
        stop: Stop,
        tell: Callable[[str], None],
    ) -> Ground:
        """What scripts run on. Its image is held as long as the sandbox is open."""
        name = instance.environment.image
        if name is None:
            raise UsageError(
                f"{instance.instance_id} names no Docker image.",
                hint="Name the image that holds the repository, or one to lay it on"
                " (for example python:3.12), or use the local sandbox.",
            )
        source = instance.environment.source
        checkout = read_checkout(source, instance.base_commit) if source else None
        base = _ensured(here.images, instance, name, stop, tell)
        ground = Ground(
            here.engine, here.machine, here.containers, base, instance.environment, labels, checkout
        )
        try:
            tell("preparing the image")
            image = retrying(stop, here.engine)(self._ready, ground, here.maker, stop)
            here.images.hold(image)
        finally:
            here.images.release(base)
        tell("")
        return replace(ground, image=image)

    def _ready(self, ground: Ground, maker: Maker, stop: Stop) -> Image:
        """The image itself, or one made from it: without later history, set up, compiled."""
        environment = ground.environment
        # First, because what scripts can read with more rights has to be hidden too.
        ground = replace(ground, image=Ownership(ground, maker).image(stop))
        if not environment.source and self._pristine and not wanted(environment):
            return ground.image
        if not environment.source and not self._pristine:
            # The image that scripts may see, without the later history of its repository.
            ground = replace(ground, image=Scrub(ground, maker).image(stop))
            if not wanted(environment):
                return Bytecode(ground, maker).image(stop)
        return Preparation(ground, maker).image(stop)

    def _begin(self) -> _Connection:
        engine = self._connect()
        try:
            version, machine = str(engine.version().get("Version", "")), Machine.of(engine)
            removed = reap_dead_owners(engine, this_process())
            ledger = engine_ledger(engine)
            images = Images(engine, self._image_settings, ledger=ledger)
        except SandboxError:
            engine.close()
            raise
        if removed:
            _LOG.info("Removed %d containers of dead owners", len(removed))
        return _Connection(
            engine,
            Containers(engine),
            Workers(self._slots),
            Pool(_IDLE_CONTAINERS),
            images,
            Maker(engine, ledger, self._verdicts),
            version,
            machine,
        )


def _ensured(
    images: Images, instance: Instance, name: str, stop: Stop, tell: Callable[[str], None]
) -> Image:
    """Take the image. A hint first says what helps without the registry."""
    try:
        return images.ensure(name, stop, lambda progress: tell(in_words(progress)))
    except (EngineUnreachable, NoSpace):
        raise
    except SandboxUnavailable as error:
        ways = _OWN_WAYS if instance.environment.source else _DATASET_WAYS
        raise SandboxUnavailable(error.message, hint=f"{ways} {error.hint}".strip()) from error


def _tell_nobody(_: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class _Connection:
    """What a provider holds while it is entered."""

    engine: Engine
    containers: Containers
    workers: Workers
    pool: Pool
    images: Images
    maker: Maker
    version: str
    machine: Machine

    def end(self) -> None:
        self.images.close()
        self.workers.close()
        self.pool.close()
        self.containers.remove_all()
        self.engine.close()
