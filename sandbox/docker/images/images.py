"""The images that a run uses."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING

from sandbox.docker.images.eviction import Evictor, is_made, made_here
from sandbox.docker.images.ledger import Ledger
from sandbox.docker.images.pace import Pace
from sandbox.docker.images.prefetching import Prefetcher
from sandbox.docker.images.pulling import Pulls
from sandbox.image_settings import ImageSettings
from sandbox.owner import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandbox.docker.engine import Engine, Image, StoredImage
    from sandbox.docker.images.progress import PullProgress
    from sandbox.supervise import Stop

    Tell = Callable[[PullProgress], None]

_OWN = "troop/"
_LOG = logging.getLogger(__name__)


def engine_ledger(engine: Engine, folder: Path | None = None) -> Ledger:
    """The ledger of an engine; `folder`: default the user's state folder.

    Raises:
        SandboxError: the engine failed.
    """
    info = engine.info()
    return Ledger(str(info.get("ID") or info.get("Name") or ""), folder)


class Images:
    """Takes images for a run, pulling those that are missing. Safe to use in several threads.

    An image that was taken is not removed, by this process or others, until it has
    been given back as often as it was taken.
    """

    def __init__(
        self,
        engine: Engine,
        settings: ImageSettings | None = None,
        *,
        ledger: Ledger | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Raises SandboxError if the engine fails."""
        self._engine = engine
        self._settings = settings or ImageSettings()
        self._ledger = ledger or engine_ledger(engine)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._ahead = Prefetcher(
            self._settings.ahead, fetch=self._fetch_ahead, too_full=self._too_full
        )
        self._evictor = Evictor(
            engine, self._ledger, self._settings, this_process(), self._ahead.upcoming
        )
        self._pulls = Pulls(
            engine,
            pace or Pace(),
            self._settings.at_once,
            make_room=self._make_room,
            around=self._noted,
        )

    def ensure(self, name: str, stop: Stop, on_progress: Tell | None = None) -> Image:
        """Take the image `name`, which is pulled if the engine lacks it.

        `on_progress` is called in this thread while it is pulled. Give the image
        back with `release`.

        Raises:
            Stopped: the order to stop was given.
            SandboxUnavailable: a person has to act before it can be taken.
            SandboxError: the engine failed.
        """
        self._ahead.took(name)
        while True:
            if not self._engine.has_image(name) and self._may_pull(name):
                self._pulls.get(name, stop, on_progress)
            image = self._engine.image(name)
            self.hold(image)
            # Another process may have removed it before it was held.
            if self._engine.has_image(image.id):
                return image
            self.release(image)
            stop.check()

    def hold(self, image: Image) -> None:
        """Take an image that the engine has, also one that Troop has just made."""
        with self._lock:
            self._taken[image.id] += 1
        made = next((each for each in self._listed(image) if is_made(each)), None)
        if made is not None and made_here(made, self._ledger.home):
            self._ledger.add(made.id, made.tags)
        else:
            self._ledger.hold(image.id)

    def release(self, image: Image) -> None:
        """Give back an image from `ensure` or `hold`."""
        with self._lock:
            self._taken[image.id] -= 1
            if self._taken[image.id] > 0:
                return
            del self._taken[image.id]
        self._ledger.release(image.id)

    def prefetch(self, names: Iterable[str]) -> None:
        """Pull the next images in the background, a few ahead of the one that is used.

        `names`: in the order of the work, one for each coming `ensure`. None of them is
        removed before it is taken. Failures are left to `ensure`.
        """
        self._ahead.want(names)

    def close(self) -> None:
        """Stop all pulls, and give back all images."""
        self._ahead.close()
        self._pulls.close()
        self._ledger.release_all()

    def _listed(self, image: Image) -> list[StoredImage]:
        if not image.name.startswith(_OWN):
            return []
        return [each for each in self._engine.stored_images() if each.id == image.id]

    def _may_pull(self, name: str) -> bool:
        return self._settings.pull != "never" and not name.startswith(_OWN)

    def _fetch_ahead(self, name: str, stop: Stop) -> None:
        if self._may_pull(name) and not self._engine.has_image(name):
            self._pulls.get(name, stop, urgent=False)

    def _too_full(self, stop: Stop) -> bool:
        self._evictor.make_room(stop)
        return self._evictor.too_full()

    def _make_room(self, stop: Stop, full: bool) -> bool:
        return bool(self._evictor.make_room(stop, full=full))

    @contextlib.contextmanager
    def _noted(self, name: str) -> Iterator[None]:
        """Note the image that is pulled inside as ours, unless it was there under another name.

        Raises:
            SandboxError: the engine failed.
        """
        before = {image.id: image.tags for image in self._engine.stored_images()}
        yield
        pulled = self._engine.image(name).id
        after = next(image for image in self._engine.stored_images() if image.id == pulled)
        known = self._ledger.entries().get(pulled)
        ours = pulled not in before or (
            known is not None and sorted(known.tags) == sorted(before[pulled])
        )
        if ours:
            self._ledger.add(pulled, after.tags)
        self._compare_platforms(name)

    def _compare_platforms(self, name: str) -> None:
        version = self._engine.version()
        engine = f"{version.get('Os', '')}/{version.get('Arch', '')}"
        image = self._engine.platform_of(name)
        if image != engine:
            # Some engines emulate other platforms, so this may work.
            _LOG.warning("The image %s is for %s, the engine for %s", name, image, engine)
