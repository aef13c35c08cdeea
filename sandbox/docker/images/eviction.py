"""Removing images that Troop pulled or made, and never any other.

An image is ours if the ledger has its id with exactly the names that it has now,
or if it has the label of this user's Troop and only the name that Troop gives to
images of its kind. An image that a person tags or pulls again becomes theirs.
Images that another Troop made on the same engine are not ours either.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.docker.engine.labels import HOME, KIND, MADE
from sandbox.docker.images.disk import Marks, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sandbox.docker.engine import Engine, StoredContainer, StoredImage
    from sandbox.docker.images.ledger import Ledger, LedgerEntry
    from sandbox.image_settings import ImageSettings
    from sandbox.owner import Owner
    from sandbox.supervise import Stop

PULLED = "pulled"

_FRESH_S = 600.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Removable:
    """One of our images that nothing uses."""

    id: str
    tags: tuple[str, ...]
    kind: str
    """"pulled", or what kind of image Troop made: "prepared", …"""
    size: int
    used: float
    """When it was last used, or when it was made if no run has used it yet."""

    @property
    def name(self) -> str:
        """For people."""
        return self.tags[0] if self.tags else self.id[:19]


def canonical(name: str) -> str:
    """The name of an image as the engine lists it."""
    name = name.removeprefix("docker.io/").removeprefix("index.docker.io/")
    name = name.removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def is_made(image: StoredImage) -> bool:
    """Whether Troop made the image and nobody gave it another name.

    The label alone is not enough, because an image that a person builds on it inherits it.
    """
    home = f"troop/{image.labels.get(KIND)}"
    return (
        image.labels.get(MADE) == "image"
        and bool(image.tags)
        and all(tag.rpartition(":")[0] == home for tag in image.tags)
    )


def made_here(image: StoredImage, home: str) -> bool:
    """Whether the Troop `home` made it. False for images of older versions, which have no home."""
    return bool(home) and image.labels.get(HOME) == home


def removable(
    images: Sequence[StoredImage],
    containers: Sequence[StoredContainer],
    entries: Mapping[str, LedgerEntry],
    me: Owner,
    needed: Collection[str] = (),
    *,
    home: str,
    others: bool = False,
) -> list[Removable]:
    """The images that may be removed, the least recently used first; `needed`: names to keep.

    `home`: whose images are ours; `others`: instead of ours, the images that another or an
    older Troop made.
    """
    kept = {canonical(name) for name in needed}
    in_use = {container.image for container in containers} | {image.parent for image in images}
    found = []
    for image in images:
        entry = entries.get(image.id)
        noted = entry is not None and sorted(entry.tags) == sorted(image.tags)
        made = is_made(image)
        ours = made_here(image, home) if made else noted
        if not (made and not ours if others else ours):
            continue
        if image.id in in_use or kept.intersection(image.tags):
            continue
        # The run that has just made an image has not noted it yet.
        if entry.held(me) if entry else time.time() - image.created < _FRESH_S:
            continue
        # An image without a name is half made.
        kind = image.labels.get(KIND, PULLED) if made or not image.tags else PULLED
        used = entry.used if entry else image.created
        found.append(Removable(image.id, image.tags, kind, image.size, used))
    return sorted(found, key=lambda each: each.used)


def remove(engine: Engine, ledger: Ledger, image: Removable) -> bool:
    """Remove an image unless somebody uses it now. Returns whether it is gone.

    Raises:
        SandboxError: the engine failed.
    """

    def untag() -> bool:
        # If it got another name in the meantime, it keeps that name.
        done = [engine.remove_image(name) for name in image.tags or (image.id,)]
        return all(done)

    return ledger.take_away(image.id, untag)


class Evictor:
    """Keeps the engine's disk below the water mark. Safe to use in several threads."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        settings: ImageSettings,
        me: Owner,
        needed: Callable[[], Collection[str]],
    ) -> None:
        """`needed`: names of images that the run will still use."""
        self._engine = engine
        self._ledger = ledger
        self._settings = settings
        self._marks = Marks(settings)
        self._me = me
        self._needed = needed
        self._lock = threading.Lock()
        self._told = False

    def too_full(self) -> bool:
        """Whether the disk is above the high mark; False if that is not known.

        Raises:
            SandboxError: the engine failed.
        """
        disk = measure(self._engine, self._settings)
        if disk is None and not self._told:
            self._told = True
            _LOG.info(
                "The engine's disk cannot be seen from here, so no image is removed to make room."
                " (The setting remote_disk_gb says how much images may take there.)"
            )
        return disk is not None and self._marks.too_full(disk)

    def make_room(self, stop: Stop, *, full: bool = False) -> list[Removable]:
        """If the disk is above the high mark, remove images until it is below the low mark.

        `full`: the disk is known to be full, whatever is measured. Returns what was
        removed.

        Raises:
            Stopped: the order to stop was given.
            SandboxError: the engine failed.
        """
        with self._lock:
            if not full and not self.too_full():
                return []
            removed: list[Removable] = []
            with _told():
                for image in self._choose():
                    stop.check()
                    if remove(self._engine, self._ledger, image):
                        _LOG.info("Removed the image %s to make room", image.name)
                        removed.append(image)
                    disk = measure(self._engine, self._settings)
                    if disk is None or self._marks.roomy(disk):
                        break
            return removed

    def _choose(self) -> list[Removable]:
        # In this order, because an image that is noted in between must not look as if it were gone.
        entries = self._ledger.entries()
        images = self._engine.stored_images()
        stored = {image.id: image for image in images}
        self._ledger.forget(
            image
            for image, entry in entries.items()
            if image not in stored or sorted(stored[image].tags) != sorted(entry.tags)
        )
        containers = self._engine.stored_containers()
        return removable(
            images, containers, entries, self._me, self._needed(), home=self._ledger.home
        )


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Log a failed removal, so that it does not stop the next pull."""
    try:
        yield
    except SandboxError as error:
        _LOG.warning("No more images could be removed to make room: %s", error)
