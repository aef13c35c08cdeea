"""The labels on what Troop makes in an engine, and the removal of what is left over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.owner import is_dead

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.docker.engine import Engine, StoredContainer, StoredNetwork
    from sandbox.owner import Owner

MADE = "troop"
"""On all that Troop makes: "1" on containers, "image" on images."""
RUN = "troop.run"
INSTANCE = "troop.instance"
OWNER = "troop.owner"
"""`<host boot id>:<pid>:<process start time>`."""
PLACE = "troop.place"
"""`<host>:<process namespace>`: where the owner's pid is valid."""
GROUP = "troop.group"
"""The containers of one provider."""
KIND = "troop.kind"
"""On images: what kind of image it is."""
HOME = "troop.home"
"""On images: the id, from its state folder, of the Troop that made it."""

_LOG = logging.getLogger(__name__)


def container_labels(owner: Owner, run: str, instance: str) -> dict[str, str]:
    """The labels of a container that `owner` makes."""
    return {MADE: "1", RUN: run, INSTANCE: instance, OWNER: str(owner), PLACE: owner.place}


def image_labels(kind: str, home: str = "") -> dict[str, str]:
    """The labels of an image that the Troop `home` makes.

    All containers inherit their image's labels, also those that people start, so the
    reaper must not look for any of these. The owner is set to nothing, because an
    image made from a container would otherwise have the container's owner.
    """
    made = {MADE: "image", KIND: kind, HOME: home}
    return made | {OWNER: "", PLACE: "", GROUP: "", RUN: "", INSTANCE: ""}


def label_changes(labels: Mapping[str, str]) -> list[str]:
    """Dockerfile lines that set `labels`."""
    return [f'LABEL {key}="{value}"' for key, value in labels.items()]


def dead_containers(engine: Engine, me: Owner) -> list[StoredContainer]:
    """The containers of owners that are provably dead.

    Never one without Troop's labels, of a living owner, or of another host.

    Raises:
        SandboxError: the engine does not list its containers.
    """
    return [one for one in engine.stored_containers(f"{MADE}=1", OWNER) if _is_dead(one, me)]


def dead_networks(engine: Engine, me: Owner) -> list[StoredNetwork]:
    """The networks of owners that are provably dead, as `dead_containers`."""
    return [one for one in engine.stored_networks(f"{MADE}=1", OWNER) if _is_dead(one, me)]


def _is_dead(one: StoredContainer | StoredNetwork, me: Owner) -> bool:
    return is_dead(one.labels.get(OWNER, ""), one.labels.get(PLACE, ""), me)


def reap_dead_owners(engine: Engine, me: Owner) -> list[str]:
    """Remove the containers and networks of dead owners. Returns the containers' ids.

    Failures are left for the next time.

    Raises:
        SandboxError: the engine does not list its containers.
    """
    removed = []
    for container in dead_containers(engine, me):
        try:
            engine.remove(container.id)
        except SandboxError as error:
            _LOG.warning("Container %s of a dead owner stays: %s", container.id[:12], error)
        else:
            removed.append(container.id)
    for network in dead_networks(engine, me):
        try:
            engine.remove_network(network.id)
        except SandboxError as error:
            _LOG.warning("The network %s of a dead owner stays: %s", network.name, error)
    return removed
