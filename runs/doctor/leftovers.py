"""What Troop left in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.doctor.check import fine, less
from runs.doctor.room import size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runs.doctor.check import Finding
    from runs.doctor.shared import SharedEngine
    from sandbox.docker.engine import StoredContainer, StoredImage
    from sandbox.owner import Owner


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What Troop made in an engine and is still there."""

    living: int
    """Containers of owners that live, or may live."""
    dead: int
    images: Mapping[str, tuple[int, int]]
    """By kind: how many, and the bytes that only they have."""


def look_at_leftovers(shared: SharedEngine) -> list[Finding]:
    """Containers and images of Troop's."""
    from sandbox.docker.engine.labels import MADE, OWNER
    from sandbox.owner import this_process

    engine = shared.engine()
    containers = engine.stored_containers(f"{MADE}=1", OWNER)
    return about_leftovers(count(containers, engine.stored_images(), this_process()))


def count(
    containers: Sequence[StoredContainer], images: Sequence[StoredImage], me: Owner
) -> Leftovers:
    """Sort out what is Troop's, and whose containers nobody will remove."""
    from sandbox.docker.engine.labels import KIND, MADE, OWNER, PLACE
    from sandbox.owner import is_dead

    # The doctor itself tries a container at the same time.
    others = [one for one in containers if one.labels.get(OWNER) != str(me)]
    dead = sum(is_dead(one.labels.get(OWNER, ""), one.labels.get(PLACE, ""), me) for one in others)
    sizes = {image.id: image.size for image in images}
    kinds: dict[str, tuple[int, int]] = {}
    for image in images:
        if image.labels.get(MADE) == "image":
            kind = image.labels.get(KIND) or "other"
            number, total = kinds.get(kind, (0, 0))
            own = max(image.size - sizes.get(image.parent, 0), 0)
            kinds[kind] = (number + 1, total + own)
    return Leftovers(len(others) - dead, dead, kinds)


def about_leftovers(left: Leftovers) -> list[Finding]:
    """What to say of what is left."""
    working = f"{left.living} containers at work" if left.living else "no containers at work"
    if left.dead:
        containers = less(
            "leftovers.containers",
            f"Troop's containers: {working}, {left.dead} of processes that have died",
            "`troop gc` removes them; so does the next run",
        )
    else:
        containers = fine("leftovers.containers", f"Troop's containers: {working}, none left over")
    return [containers, _images(left)]


def _images(left: Leftovers) -> Finding:
    name = "leftovers.images"
    if not left.images:
        return fine(name, "Troop's images: none")
    kinds = [
        f"{number} {kind} ({size(total)})" for kind, (number, total) in sorted(left.images.items())
    ]
    text = f"Troop's images: {', '.join(kinds)}"
    return fine(name, f"{text}; they save time in the next run, `troop gc --images` removes them")
