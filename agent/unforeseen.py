"""Errors that nobody foresaw: what they may end, and what is kept of them."""

from __future__ import annotations

import traceback

from agent.slots import Interrupted
from agent.workbench import NotRecordedError
from data.errors import TroopError

FORESEEN = (TroopError, Interrupted, NotRecordedError, OSError)
"""They end what they always end. An `OSError` is the machine's: a full disk is no result."""
_TRACE = 4000
"""Characters of a trace that are kept."""


def named(error: Exception) -> str:
    """The error in a line, for example "ValueError: too many digits"."""
    said = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def trace_of(error: Exception) -> str:
    """Where it was raised, as Python prints it; of a long one the end."""
    return "".join(traceback.format_exception(error))[-_TRACE:]
