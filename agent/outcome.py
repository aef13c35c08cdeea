"""How trajectories and samples end."""

from __future__ import annotations

import enum


class Outcome(enum.StrEnum):
    """How a trajectory or a sample ended."""

    DONE = "done"
    """The model said that it was right, or gave the answer that was asked for."""
    OUT_OF_TURNS = "out_of_turns"
    """Its replies were used up. What it wrote last still counts."""
    UNREADABLE = "unreadable"
    """It was asked for one answer, and none of its replies could be read as one."""
    NO_EDIT = "no_edit"
    """It never wrote an edit that could be applied."""
    CONTEXT_EXCEEDED = "context_exceeded"
    """The conversation became too long for the model."""
    REJECTED = "rejected"
    """The server refused a request."""
    FAILED = "failed"
    """An error that nobody foresaw ended it. Its trace is stored. What it made before counts."""
