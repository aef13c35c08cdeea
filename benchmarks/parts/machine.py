"""How much time and CPU the whole machine uses while something is measured."""

from __future__ import annotations

import contextlib
import os
import resource
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_IDLE_FIELDS = (3, 4)
"""Of the line `cpu` in /proc/stat: idle and iowait."""
_HOST_FIELDS = 7
"""After these come what the hypervisor took and guests' time, which is counted already."""
_BASELINE_S = 0.4


class BenchmarkError(Exception):
    """Something did not do the work that is measured."""


@dataclass(slots=True)
class Usage:
    """What a measured block used; the seconds are 0.0 until it has ended."""

    wall: float = 0.0
    cpu: float = 0.0
    """CPU seconds of the whole machine, this process included, minus what it used while idle."""
    own: float = 0.0
    """CPU seconds of this process: the client's part of `cpu`."""
    before: float = 0.0
    """The share of the machine that was busy just before, which was subtracted from `cpu`."""


@contextlib.contextmanager
def metered() -> Iterator[Usage]:
    """Measure the block, after a moment in which the idle machine is measured."""
    began, used = time.monotonic(), _busy()
    time.sleep(_BASELINE_S)
    rate = (_busy() - used) / (time.monotonic() - began)
    usage = Usage(before=rate / (os.cpu_count() or 1))
    began, used, own = time.monotonic(), _busy(), _own()
    yield usage
    usage.wall = time.monotonic() - began
    usage.cpu = max(0.0, _busy() - used - rate * usage.wall)
    usage.own = _own() - own


def _busy() -> float:
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return _TICK_S * sum(
        ticks for n, ticks in enumerate(fields[:_HOST_FIELDS]) if n not in _IDLE_FIELDS
    )


def _own() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def middle(values: Sequence[float]) -> float:
    """The median; nan of nothing."""
    return statistics.median(values) if values else float("nan")


def tenths(values: Sequence[float]) -> tuple[float, float]:
    """The 10th and the 90th percentile."""
    if len(values) < 2:  # noqa: PLR2004 - quantiles need two
        return (values[0], values[0]) if values else (float("nan"), float("nan"))
    cuts = statistics.quantiles(values, n=10, method="inclusive")
    return cuts[0], cuts[-1]


def describe_machine() -> str:
    """For the head of a table."""
    words = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    model = words[0].split(":", 1)[1].strip() if words else "unknown processor"
    return f"{os.cpu_count()} x {model}, Linux {os.uname().release}"
