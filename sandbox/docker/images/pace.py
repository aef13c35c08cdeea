"""How long pulls wait."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How long Troop waits, in seconds."""

    pause_s: float = 60.0
    """After a registry's first "too many requests"; doubled with each further one."""
    longest_pause_s: float = 900.0
    tries: int = 4
    """How many tries there are if a registry cannot be reached."""
    retry_s: float = 1.0
    """Before the second try; four times as long before each further one."""
    stall_s: float = 900.0
    """After so long without a message from the engine, a pull is begun again. It is long, because
    while the engine downloads one image it says nothing about another that waits."""
