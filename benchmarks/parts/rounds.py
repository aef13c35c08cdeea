"""Measuring in rounds: each contender once in each round, so that noise affects all of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.parts.contender import during, times
from benchmarks.parts.machine import metered, middle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.parts.contender import Contender
    from benchmarks.parts.machine import Usage
    from benchmarks.parts.workload import Job

_WARM_UP = 3
"""Executions by each worker before its first measure: containers start, caches fill."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A contender with its work."""

    contender: Contender
    make: Callable[[], Job]
    batch: int
    """Executions in a serial round."""
    warm_up: bool = True
    """Whether its first executions are others than its later ones."""
    warm: set[int] = field(default_factory=set)
    """The worker counts that were warmed up."""

    @property
    def name(self) -> str:
        """The contender's."""
        return self.contender.name


@dataclass(frozen=True, slots=True)
class Batch:
    """What one contender did in one round."""

    name: str
    round: int
    workers: int
    took: list[float]
    usage: Usage

    @property
    def latency(self) -> float:
        """The median."""
        return middle(self.took)

    @property
    def cpu(self) -> float:
        """CPU seconds of the whole machine per execution."""
        return self.usage.cpu / len(self.took)

    @property
    def own(self) -> float:
        """CPU seconds of this process per execution, which are part of `cpu`."""
        return self.usage.own / len(self.took)

    @property
    def rate(self) -> float:
        """Executions per second."""
        return len(self.took) / self.usage.wall


def serial(entrant: Entrant, number: int) -> Batch:
    """One execution after the other."""
    return _batch(entrant, number, 1, times(entrant.batch, entrant.make))


def saturated(entrant: Entrant, number: int, workers: int, seconds: float) -> Batch:
    """As many executions as this number of workers can do."""
    return _batch(entrant, number, workers, during(seconds, entrant.make))


def counted(entrant: Entrant, number: int, workers: int, count: int) -> Batch:
    """A given number of executions by a given number of workers."""
    return _batch(entrant, number, workers, times(count, entrant.make))


def _batch(entrant: Entrant, number: int, workers: int, jobs: Callable[[], Job | None]) -> Batch:
    entrant.contender.prepare(workers)
    if entrant.warm_up and workers not in entrant.warm:
        entrant.contender.drive(times(_WARM_UP * workers, entrant.make), workers)
        entrant.warm.add(workers)
    with metered() as usage:
        took = entrant.contender.drive(jobs, workers)
    batch = Batch(entrant.name, number, workers, took, usage)
    say(
        f"  round {number}: {batch.name}, {workers} workers: {len(took)} in {usage.wall:.1f} s,"
        f" {batch.latency * 1000:.1f} ms, CPU {batch.cpu * 1000:.1f} ms"
    )
    return batch


def rotated(entrants: Sequence[Entrant], number: int) -> Iterable[Entrant]:
    """The contenders, with another one first in each round."""
    at = number % len(entrants)
    return [*entrants[at:], *entrants[:at]]


def ratios(ones: Sequence[Batch], others: Sequence[Batch], of: str) -> list[float]:
    """`of` ("latency", "cpu", "rate") over that of others in the same round."""
    base = {batch.round: getattr(batch, of) for batch in others}
    return [
        getattr(batch, of) / base[batch.round] for batch in ones if base.get(batch.round, 0.0) > 0
    ]


def say(text: str) -> None:
    """Print progress to standard error, apart from the tables."""
    print(text, file=sys.stderr, flush=True)
