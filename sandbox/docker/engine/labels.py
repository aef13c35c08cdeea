"""The labels on what Troop makes in an engine, and the removal of what dead owners left."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.owner import is_dead

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.docker.engine import Engine, StoredContainer
    from sandbox.owner import Owner

MADE = "troop"
"""On all that Troop makes: "1" on containers, "image" on images."""
RUN = "troop.run"
INSTANCE = "troop.instance"
OWNER = "troop.owner"
"""`<host boot id>:<pid>:<process start time>`."""
PLACE = "troop.place"
"""`<host>:<process namespace>`: where the owner's pid has a meaning."""
GROUP = "troop.group"
"""The containers of one provider."""
KIND = "troop.kind"
"""On images: what kind of image it is."""
HOME = "troop.home"
"""On images: the Troop that made it, by the id in its state folder. An engine may serve several."""

_LOG = logging.getLogger(__name__)


def container_labels(owner: Owner, run: str, instance: str) -> dict[str, str]:
    """The labels of a container that `owner` makes."""
    return {MADE: "1", RUN: run, INSTANCE: instance, OWNER: str(owner), PLACE: owner.place}


def image_labels(kind: str, home: str = "") -> dict[str, str]:
    """The labels of an image that the Troop `home` makes.

    Containers inherit their image's labels, also those that people start, so
    none of these may be what the reaper looks for; an image that is made from a
    container would have that one's owner if it were not set to nothing.
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
    return [
        each
        for each in engine.stored_containers(f"{MADE}=1", OWNER)
        if is_dead(each.labels.get(OWNER, ""), each.labels.get(PLACE, ""), me)
    ]


def reap_dead_owners(engine: Engine, me: Owner) -> list[str]:
    """Remove them; their ids. A container that cannot be removed is left for the next time.

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
    return removed
