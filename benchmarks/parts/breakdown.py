"""Where the time of an execution goes, as far as this can be measured from outside."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from benchmarks.parts.contender import times
from benchmarks.parts.machine import middle
from benchmarks.parts.ours import Ours
from benchmarks.parts.rounds import say
from benchmarks.parts.workload import Job
from data.patches.patch import UNEDITED
from sandbox.protocol import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.parts.contender import Contender
    from benchmarks.parts.ours import Providers
    from benchmarks.parts.workload import Workload

_BATCH = 8
_STARTS = 3


def breakdown(providers: Providers, floor: Contender, work: Workload, rounds: int) -> Iterator[str]:
    """A table of steps with more and more work, in this sandbox and on the floor, one at a time."""
    say("Where the time goes")
    steps: dict[str, Callable[[], Job]] = {
        "`true`, by sh": lambda: Job(UNEDITED, Script("true\n", "sh", ".sh"), ""),
        "`pass`, by Python": lambda: Job(UNEDITED, Script("pass\n"), ""),
        "the script, unedited": work.plain,
        "the script, the same patch": work.fixed,
        "the script, a new patch": work.fresh,
    }
    first = [_first(providers, work) for _ in range(_STARTS)]
    ours = Ours(providers, "breakdown", "")
    ours.prepare(1)
    took: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for step, make in steps.items():
            for where, contender in (("here", ours), ("floor", floor)):
                found = contender.drive(times(_BATCH, make), 1)
                took.setdefault((step, where), []).extend(found)
    ours.close()
    yield "| one at a time, ms | this sandbox | floor | difference |"
    yield "|---|---|---|---|"
    for step in steps:
        here, there = middle(took[step, "here"]) * 1000, middle(took[step, "floor"]) * 1000
        yield f"| {step} | {here:.1f} | {there:.1f} | {here - there:.1f} |"
    yield f"| the first, with the start of its container | {middle(first) * 1000:.0f} | | |"


def _first(providers: Providers, work: Workload) -> float:
    """From the opening of a sandbox to its first result."""
    began = time.monotonic()
    ours = Ours(providers, "first", "")
    ours.prepare(1)
    ours.output(dataclasses.replace(work.fixed(), expected=None))
    took = time.monotonic() - began
    ours.close()
    return took
