"""Locks between threads and processes: files that the kernel frees when their holder dies."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.supervise import Stop

_LOOK_S = 0.02


@contextlib.contextmanager
def tried(path: Path, seconds: float = 0.0) -> Iterator[OSError | None]:
    """Hold a lock, waiting `seconds` for it; yields why it could not be had."""
    with contextlib.ExitStack() as stack:
        why_not = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(path).acquire(seconds, _LOOK_S))
        except OSError as error:
            why_not = error
        yield why_not


@contextlib.contextmanager
def held(path: Path, stop: Stop) -> Iterator[None]:
    """Hold a lock, however long others do.

    Raises:
        Stopped: the order to stop was given.
        OSError: the file cannot be written.
    """
    while True:
        with tried(path) as why_not:
            if why_not is None:
                yield
                return
        if not isinstance(why_not, Timeout):
            raise why_not
        stop.sleep(_LOOK_S)
