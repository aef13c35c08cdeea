"""The idle warm containers of one provider."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from sandbox.docker.warm.container import WarmContainer

_IDLE_S = 300.0


class Pool:
    """Keeps idle containers by what they are for. Safe to use in several threads.

    If there are too many, the least recently used one is ended; so is one that has been
    idle for five minutes.
    """

    def __init__(self, most: int) -> None:
        """`most`: how many idle containers are kept."""
        self._most = most
        self._lock = threading.Lock()
        self._idle: deque[tuple[Hashable, WarmContainer]] = deque()
        self._closed = False

    def take(self, key: Hashable) -> WarmContainer | None:
        """The most recently used idle container for `key`, no longer in the pool."""
        with self._lock:
            for item in reversed(self._idle):
                if item[0] == key:
                    self._idle.remove(item)
                    return item[1]
        return None

    def give(self, key: Hashable, container: WarmContainer) -> None:
        """Put `container` into the pool, or end it if it cannot be used again."""
        container.used_at = time.monotonic()
        with self._lock:
            keep = container.usable and not self._closed
            if keep:
                self._idle.append((key, container))
        if not keep:
            container.close()
        self._evict()

    def drop(self, fits: Callable[[Hashable], bool]) -> None:
        """End the idle containers whose key `fits`."""
        with self._lock:
            gone = [container for key, container in self._idle if fits(key)]
            self._idle = deque(item for item in self._idle if item[1] not in gone)
        _close(gone)

    def close(self) -> None:
        """End all containers. One that is given back later is ended at once."""
        with self._lock:
            self._closed = True
        self.drop(lambda _: True)

    def _evict(self) -> None:
        too_old = time.monotonic() - _IDLE_S
        gone = []
        with self._lock:
            while self._idle and (
                len(self._idle) > self._most or self._idle[0][1].used_at < too_old
            ):
                gone.append(self._idle.popleft()[1])
        _close(gone)


def _close(containers: Iterable[WarmContainer]) -> None:
    for container in containers:
        container.close()
