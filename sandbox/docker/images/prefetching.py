"""Pulling ahead: the images that a run needs next, while it works on those it has."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.supervise import Stop, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LOOK_S = 1.0
_FULL_S = 10.0
_LEAVE_S = 5.0
_LOG = logging.getLogger(__name__)


class Prefetcher:
    """One thread that pulls what comes next, in order. Safe to use in several threads."""

    def __init__(
        self, ahead: int, *, fetch: Callable[[str, Stop], None], too_full: Callable[[Stop], bool]
    ) -> None:
        """`fetch`: pulls an image if it is missing; `too_full`: whether no room can be made."""
        self._ahead = ahead
        self._fetch = fetch
        self._too_full = too_full
        self._upcoming: list[str] = []
        self._settled: set[str] = set()
        self._stop = Stop()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def want(self, names: Iterable[str]) -> None:
        """Add names that will be taken, in this order; one for each time it will be."""
        with self._changed:
            self._upcoming += names
            if self._thread is None and self._upcoming and self._ahead > 0:
                self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def took(self, name: str) -> None:
        """Note that a name was taken, so that the next may be pulled."""
        with self._changed:
            if name in self._upcoming:
                self._upcoming.remove(name)
                self._changed.notify_all()

    def upcoming(self) -> list[str]:
        """What is still to be taken."""
        with self._changed:
            return list(self._upcoming)

    def close(self) -> None:
        """Stop pulling ahead."""
        self._stop.give()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        try:
            while True:
                self._stop.check()
                name = self._next()
                if name is not None:
                    self._try(name)
        except Stopped:
            return

    def _next(self) -> str | None:
        """The first of the next names that was not tried yet; waits if there is none."""
        with self._changed:
            window = list(dict.fromkeys(self._upcoming))[: self._ahead]
            for name in window:
                if name not in self._settled:
                    return name
            self._changed.wait(_LOOK_S)
            return None

    def _try(self, name: str) -> None:
        try:
            if self._too_full(self._stop):
                self._stop.sleep(_FULL_S)
                return
            self._fetch(name, self._stop)
        except SandboxError as error:
            # Whoever needs the image will meet the same problem, and report it.
            _LOG.info("The image %s was not pulled ahead: %s", name, error)
        self._settled.add(name)
