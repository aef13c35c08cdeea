"""How trajectories and samples end."""

from __future__ import annotations

import enum


class Outcome(enum.StrEnum):
    """How a trajectory or a sample ended."""

    DONE = "done"
    """The model said that it was right, or gave the answer that was asked for."""
    OUT_OF_TURNS = "out_of_turns"
    """What it wrote last stands all the same."""
    UNREADABLE = "unreadable"
    """It was asked for one answer, and none of its replies could be read as one."""
    NO_EDIT = "no_edit"
    """It never wrote an edit that could be applied."""
    CONTEXT_EXCEEDED = "context_exceeded"
    """The conversation no longer fit the model."""
    REJECTED = "rejected"
    """The server refused a request."""
