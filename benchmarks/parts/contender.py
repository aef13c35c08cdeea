"""What is compared: ways to do one job, and how each is run."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from benchmarks.parts.machine import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.parts.workload import Job

    NextJob = Callable[[], Job | None]
    """The next thing to do, for any worker; None: it is over. Safe in several threads."""


class Contender(Protocol):
    """One way to execute jobs."""

    name: str
    """For the command line."""
    title: str
    """For the table."""

    def prepare(self, workers: int) -> None:
        """Make what `workers` workers need; not measured. May be called again with more.

        Raises:
            BenchmarkError: this way does not work here; says why.
        """

    def drive(self, next_job: NextJob, workers: int) -> list[float]:
        """Do jobs in `workers` workers until none is left; the seconds that each took.

        Raises:
            BenchmarkError: what came out is not what had to come out.
        """

    def output(self, job: Job) -> str:
        """What one execution prints."""

    def close(self) -> None:
        """Give back what was made."""


class Threaded:
    """A way that blocks, driven by one thread for each worker."""

    name = ""
    title = ""

    def one(self, worker: int, job: Job) -> str:
        """Execute one job: what it printed."""
        raise NotImplementedError  # each way says its own

    def prepare(self, workers: int) -> None:
        """Nothing, unless a way needs something."""

    def close(self) -> None:
        """Nothing, unless a way holds something."""

    def output(self, job: Job) -> str:
        """What one execution prints."""
        return self.one(0, job)

    def drive(self, next_job: NextJob, workers: int) -> list[float]:
        """In this thread where there is one worker."""
        if workers == 1:
            return self._work(next_job, 0)
        with ThreadPoolExecutor(workers) as pool:
            parts = pool.map(lambda worker: self._work(next_job, worker), range(workers))
            return list(itertools.chain.from_iterable(parts))

    def _work(self, next_job: NextJob, worker: int) -> list[float]:
        took = []
        while (job := next_job()) is not None:
            began = time.monotonic()
            output = self.one(worker, job)
            took.append(time.monotonic() - began)
            check(self.name, job, output)
        return took


def check(name: str, job: Job, output: str) -> None:
    """Check the output of a job.

    Raises:
        BenchmarkError: what came out is not what had to come out.
    """
    if job.expected is not None and output != job.expected:
        raise BenchmarkError(f"{name}: printed {output[-500:]!r}, not {job.expected!r}")


def times(count: int, make: Callable[[], Job]) -> NextJob:
    """A source of `count` jobs."""
    left = itertools.count()
    lock = threading.Lock()

    def next_job() -> Job | None:
        with lock:
            more = next(left) < count
        return make() if more else None

    return next_job


def during(seconds: float, make: Callable[[], Job]) -> NextJob:
    """A source of jobs until so many seconds from its first one are over."""
    lock = threading.Lock()
    deadline: list[float] = []

    def next_job() -> Job | None:
        now = time.monotonic()
        with lock:
            if not deadline:
                deadline.append(now + seconds)
        return make() if now < deadline[0] else None

    return next_job
