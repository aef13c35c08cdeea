"""All attacks, by their names."""

from __future__ import annotations

from tests.sandbox.attacks.families import (
    bombs,
    calls,
    first,
    history,
    kernel,
    leaving,
    lingering,
    marks,
    memory,
    mounts,
    neighbours,
    network,
    pipe,
    printing,
    proc,
    rights,
    signals,
)

_FAMILIES = {
    "leaving": leaving.ATTACKS,
    "neighbours": neighbours.ATTACKS,
    "network": network.ATTACKS,
    "pipe": pipe.ATTACKS,
    "signals": signals.ATTACKS,
    "lingering": lingering.ATTACKS,
    "mounts": mounts.ATTACKS,
    "kernel": kernel.ATTACKS,
    "rights": rights.ATTACKS,
    "proc": proc.ATTACKS,
    "first": first.ATTACKS,
    "calls": calls.ATTACKS,
    "marks": marks.ATTACKS,
    "printing": printing.ATTACKS,
    "history": history.ATTACKS,
    "memory": memory.ATTACKS,
    "bombs": bombs.ATTACKS,
}

ATTACKS = {attack.name: attack for family in _FAMILIES.values() for attack in family}
"""In the order in which they are made."""

if len(ATTACKS) != sum(map(len, _FAMILIES.values())):
    raise ValueError("two attacks have the same name")
