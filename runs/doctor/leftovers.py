"""What Troop left in the engine."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.doctor.check import fine, less
from runs.doctor.room import size
from runs.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.doctor.check import Finding
    from runs.doctor.shared import SharedEngine
    from sandbox.docker.engine import StoredContainer
    from sandbox.docker.images.eviction import Removable
    from sandbox.owner import Owner


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Troop's containers in an engine."""

    living: int
    """Those of processes that live, or may live."""
    dead: int


def look_at_leftovers(shared: SharedEngine) -> list[Finding]:
    """Containers of Troop's, and the images that `troop gc --images` would remove."""
    from sandbox.docker.engine.labels import MADE, OWNER
    from sandbox.docker.gc import unused_images
    from sandbox.docker.images.images import engine_ledger
    from sandbox.owner import this_process

    engine = shared.engine()
    ledger = engine_ledger(engine)
    containers = engine.stored_containers(f"{MADE}=1", OWNER)
    ours, theirs = (unused_images(engine, ledger, others=others) for others in (False, True))
    return [about_containers(count(containers, this_process())), about_unused(ours, theirs)]


def count(containers: Sequence[StoredContainer], me: Owner) -> Leftovers:
    """Count the containers that nobody will remove, and the others."""
    from sandbox.docker.engine.labels import OWNER, PLACE
    from sandbox.owner import is_dead

    # The doctor itself tries a container at the same time.
    others = [one for one in containers if one.labels.get(OWNER) != str(me)]
    dead = sum(is_dead(one.labels.get(OWNER, ""), one.labels.get(PLACE, ""), me) for one in others)
    return Leftovers(len(others) - dead, dead)


def about_containers(left: Leftovers) -> Finding:
    """What to say about containers."""
    working = (
        f"{counted(left.living, 'container')} at work" if left.living else "no containers at work"
    )
    if left.dead:
        return less(
            "leftovers.containers",
            f"Troop's containers: {working}, {left.dead} of processes that are gone",
            "The next run removes them, or now: troop gc",
        )
    return fine("leftovers.containers", f"Troop's containers: {working}, none left over")


def about_unused(ours: Sequence[Removable], theirs: Sequence[Removable]) -> Finding:
    """What to say about images that nothing uses; `theirs`: of another or an older Troop."""
    kinds: defaultdict[str, list[int]] = defaultdict(list)
    for image in ours:
        kinds[image.kind].append(image.size)
    named = [f"{len(each)} {kind} ({size(sum(each))})" for kind, each in sorted(kinds.items())]
    text = f"Troop's unused images: {', '.join(named) or 'none'}"
    if ours:
        text += "; they save time in the next run, `troop gc --images` removes them"
    if theirs:
        total = size(sum(image.size for image in theirs))
        text += f"; {len(theirs)} ({total}), made by another user or an older Troop, stay"
    return fine("leftovers.images", text)
