"""Locks between threads and processes: files that the kernel frees when their holder dies."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.supervise import Stop

_LOOK_S = 0.02
_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def tried(path: Path, seconds: float = 0.0) -> Iterator[OSError | None]:
    """Hold a lock, waiting up to `seconds` for it. Yields why it could not be taken, or None."""
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
    """Hold a lock, however long others hold it. If its file cannot be written, continue without.

    Raises:
        Stopped: the order to stop was given.
    """
    while True:
        with tried(path) as why_not:
            if not isinstance(why_not, Timeout):
                if why_not is not None:
                    _LOG.warning("%s cannot be locked: %s", path, why_not)
                yield
                return
        stop.sleep(_LOOK_S)
