"""What Troop left in an engine: containers, networks of dead owners, images that nothing uses."""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.docker.engine.labels import OWNER, dead_containers, dead_networks
from sandbox.docker.images.eviction import PULLED, removable, remove
from sandbox.leftover import Leftover
from sandbox.owner import this_process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.docker.engine import Engine
    from sandbox.docker.images.eviction import Removable
    from sandbox.docker.images.ledger import Ledger
    from sandbox.leftover import Scope

_THEIRS = "made by another Troop, or by an older one"


def abandoned(engine: Engine) -> list[Leftover]:
    """The containers and networks of owners that are provably dead.

    Raises:
        SandboxError: the engine failed.
    """
    containers = [
        Leftover(
            what="container",
            name=container.name or container.id[:12],
            size=_size(engine, container.id),
            since=container.created,
            why=_gone(container.labels),
            remove=functools.partial(_remove_container, engine, container.id),
        )
        for container in dead_containers(engine, this_process())
    ]
    networks = [
        Leftover(
            what="network",
            name=network.name,
            size=0,
            since=network.created,
            why=_gone(network.labels),
            remove=functools.partial(engine.remove_network, network.id),
        )
        for network in dead_networks(engine, this_process())
    ]
    return [*containers, *networks]  # a network can be removed once nothing is in it


def unused_images(engine: Engine, ledger: Ledger, *, others: bool = False) -> list[Removable]:
    """Our images that nothing uses, the least recently used first, each with its own bytes.

    Shared layers do not count. `others`: instead of ours, the images that another or an
    older Troop made.

    Raises:
        SandboxError: the engine failed.
    """
    entries = ledger.entries()
    found = removable(
        engine.stored_images(),
        engine.stored_containers(),
        entries,
        this_process(),
        home=ledger.home,
        others=others,
    )
    own = engine.own_bytes() if found else {}
    return [replace(image, size=own.get(image.id, image.size)) for image in found]


def image_leftovers(engine: Engine, ledger: Ledger, scope: Scope) -> list[Leftover]:
    """The images in `scope` that nothing uses.

    Raises:
        SandboxError: the engine failed.
    """
    latest = time.time() - scope.unused_for_s
    ours = [(image, _why(image)) for image in unused_images(engine, ledger)]
    theirs = unused_images(engine, ledger, others=True) if scope.others else []
    return [
        Leftover(
            what="image",
            name=image.name,
            size=image.size,
            since=image.used,
            why=why,
            remove=functools.partial(remove, engine, ledger, image),
        )
        for image, why in [*ours, *((image, _THEIRS) for image in theirs)]
        if image.used <= latest
    ]


def _gone(labels: Mapping[str, str]) -> str:
    return f"process {labels[OWNER].split(':')[1]} is gone"


def _why(image: Removable) -> str:
    return "pulled, unused" if image.kind == PULLED else f"{image.kind}, unused"


def _size(engine: Engine, container: str) -> int:
    try:
        return engine.disk_bytes(container)
    except SandboxError:  # gone meanwhile
        return 0


def _remove_container(engine: Engine, container: str) -> bool:
    engine.remove(container)
    return True
