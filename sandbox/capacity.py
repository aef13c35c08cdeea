"""How many executions a machine can run at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.protocol import Limits

_SET_ASIDE = 0.5
"""The share of an execution's memory limit that is reserved, because few scripts need it all."""
_FOR_SCRIPTS = 0.8
"""The share of the machine's memory that is for scripts."""


def slots_of(cpus: float, memory_mb: float, limits: Limits) -> int:
    """How many cores and memory (in megabytes; 0: unknown) are enough for; at least 1."""
    by_cores = cpus / max(limits.cpus, 0.01)
    by_memory = _FOR_SCRIPTS * memory_mb / max(_SET_ASIDE * limits.memory_mb, 1)
    return max(1, int(min(by_cores, by_memory) if memory_mb else by_cores))


def slots_here(limits: Limits) -> int:
    """`slots_of` this machine."""
    try:
        memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 20)
    except (ValueError, OSError):
        memory_mb = 0
    return slots_of(os.cpu_count() or 1, memory_mb, limits)
