"""Warnings of the packages below, shown to the person in the display, once each."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HOME = __name__.removesuffix("runs.run.warnings")
"""What comes before the packages' names: "" in a checkout."""
_ROOMS = tuple(f"{_HOME}{room}" for room in ("agent", "data", "sandbox", "selection"))


@contextmanager
def warnings_to(tell: Callable[[str], None]) -> Iterator[None]:
    """While inside, `tell` gets each different warning once, from any thread."""
    handler = _Handler(tell)
    loggers = [logging.getLogger(room) for room in _ROOMS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._told:
            self._told.add(message)
            self._tell(message)
