"""Pulling images: each once, a few at a time, with a pause for all where a registry asks for it."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable
from sandbox.docker.engine.failure import NoSpace, RateLimited, TransientEngineError
from sandbox.docker.images.progress import Layers, Progress, Stage, messages
from sandbox.supervise import Stop, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.docker.engine import Engine
    from sandbox.docker.images.pace import Pace

    Tell = Callable[[Progress], None]

_LOOK_S = 0.1
_LEAST_PAUSE_S = 1.0


class Job:
    """One image on its way, for all who wait for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stop = Stop()
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.progress = Progress(name, Stage.WAITING)
        self.waiting = 0
        """Who waits for it."""
        self.urgent = 0
        """Those of them who can do nothing else meanwhile."""
        self.heard: float | None = None
        """When the engine last said something; None: it is not asked."""
        self.cut: Callable[[], None] = lambda: None

    def say(self, stage: Stage, note: str) -> None:
        """Tell what is waited for, beside how far it has come."""
        last = self.progress
        self.progress = Progress(self.name, stage, last.done_bytes, last.total_bytes, note)


class Brake:
    """The pause of all pulls after a registry said that there are too many."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._lock = threading.Lock()
        self._until = 0.0
        self._hits = 0

    def hit(self, retry_after_s: float | None) -> None:
        """Begin a pause, or lengthen it to what the registry says."""
        pace = self._pace
        with self._lock:
            now = time.monotonic()
            if now >= self._until:  # else it is the same trouble, met by another pull
                self._hits += 1
            doubled = 2.0 ** (self._hits - 1)
            if retry_after_s is None:
                pause = min(pace.pause_s * doubled, pace.longest_pause_s)
            else:
                pause = max(retry_after_s, min(_LEAST_PAUSE_S * doubled, pace.longest_pause_s))
            pause *= random.uniform(1.0, 1.2)  # noqa: S311 - spreads processes, hides nothing
            self._until = max(self._until, now + pause)

    def release(self) -> None:
        """A pull went well."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._hits = 0

    def left_s(self) -> float:
        """How long the pause still lasts."""
        return max(0.0, self._until - time.monotonic())


class Pulls:
    """The pulls of one process. Safe to use in several threads."""

    def __init__(
        self,
        engine: Engine,
        pace: Pace,
        at_once: int,
        *,
        make_room: Callable[[Stop, bool], bool],
        around: Callable[[str], contextlib.AbstractContextManager[None]],
    ) -> None:
        """`make_room`: called before each pull, and with True after one that found the disk full:
        whether something was removed; `around`: entered for each pull.
        """
        self._engine = engine
        self._pace = pace
        self._brake = Brake(pace)
        self._make_room = make_room
        self._around = around
        self._jobs: dict[str, Job] = {}
        self._free = at_once
        self._queue: list[Job] = []
        self._changed = threading.Condition()

    def get(self, name: str, stop: Stop, tell: Tell | None = None, *, urgent: bool = True) -> None:
        """Wait until `name` was pulled, together with others who want it.

        `tell` is called in this thread, a few times a second. A pull that
        nobody waits for any more is cut off.

        Raises:
            Stopped: the order to stop was given.
            SandboxUnavailable: it cannot be pulled until a person acts.
            SandboxError: the engine failed.
        """
        job = self._join(name, urgent=urgent)
        last = None
        try:
            while not job.done.wait(_LOOK_S):
                stop.check()
                self._watch(job)
                if tell is not None and job.progress != last:
                    last = job.progress
                    tell(last)
        finally:
            self._leave(job, urgent=urgent)
        if job.error is not None:
            # Each caller gets one of its own: a traceback grows with every raise.
            raise _again(job.error) from job.error
        if tell is not None:
            total = job.progress.total_bytes
            tell(Progress(name, Stage.READY, total, total))

    def close(self) -> None:
        """Cut off what is on its way."""
        with self._changed:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.stop.give()

    def _join(self, name: str, *, urgent: bool) -> Job:
        with self._changed:
            job = self._jobs.get(name)
            if job is None:
                job = self._jobs[name] = Job(name)
                self._queue.append(job)
                # As a daemon: while the engine looks for the registry, nothing can interrupt it.
                threading.Thread(
                    target=self._work, args=(job,), name=f"pull {name}", daemon=True
                ).start()
            job.waiting += 1
            job.urgent += urgent
            self._changed.notify_all()
            return job

    def _leave(self, job: Job, *, urgent: bool) -> None:
        with self._changed:
            job.waiting -= 1
            job.urgent -= urgent
            abandoned = not job.waiting and not job.done.is_set()
            if abandoned and self._jobs.get(job.name) is job:
                del self._jobs[job.name]
        if abandoned:
            job.stop.give()

    def _watch(self, job: Job) -> None:
        """Cut a pull off that gives no sign of life, so that it is begun anew."""
        heard = job.heard
        if heard is not None and time.monotonic() - heard > self._pace.stall_s:
            job.cut()

    def _work(self, job: Job) -> None:
        try:
            with self._turn(job), self._around(job.name):
                self._persist(job)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            job.error = error
        finally:
            with self._changed:
                if self._jobs.get(job.name) is job:
                    del self._jobs[job.name]
                job.done.set()

    @contextlib.contextmanager
    def _turn(self, job: Job) -> Iterator[None]:
        """Wait for a turn: those first that somebody waits for, else in order."""
        with self._changed:
            try:
                while not self._free or job is not self._next():
                    self._changed.wait(_LOOK_S)
                    job.stop.check()
                self._free -= 1
            finally:
                self._queue.remove(job)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _next(self) -> Job:
        return next((job for job in self._queue if job.urgent), self._queue[0])

    def _persist(self, job: Job) -> None:
        """Pull until it is there, or a person has to act."""
        tries = 0
        while True:
            self._pause(job)
            self._make_room(job.stop, False)
            try:
                self._attempt(job)
            except RateLimited as error:
                self._brake.hit(error.retry_after_s)
            except NoSpace:
                if not self._make_room(job.stop, True):
                    raise
            except TransientEngineError as error:
                tries += 1
                if tries >= self._pace.tries:
                    raise SandboxUnavailable(error.message, mend=error.mend) from error
                self._wait_to_retry(job, tries, error)
            else:
                self._brake.release()
                return

    def _pause(self, job: Job) -> None:
        while left := self._brake.left_s():
            job.say(Stage.PAUSED, f"the registry limits pulls; going on in {_spoken(left)}")
            job.stop.sleep(min(left, 1.0))

    def _wait_to_retry(self, job: Job, tries: int, error: TransientEngineError) -> None:
        delay = self._pace.retry_s * 4.0 ** (tries - 1) * random.uniform(0.8, 1.2)  # noqa: S311
        job.say(Stage.PAUSED, f"{error.message}; trying again in {_spoken(delay)}")
        job.stop.sleep(delay)

    def _attempt(self, job: Job) -> None:
        job.stop.check()
        chunks, cut = self._engine.pull(job.name)
        job.cut = cut
        job.stop.listen(cut)
        layers = Layers(job.name)
        try:
            job.heard = time.monotonic()
            for message in messages(chunks):
                job.heard = time.monotonic()
                job.progress = layers.add(message)
            self._check(job)
        except BaseException:
            cut()
            job.stop.check()
            raise
        finally:
            job.heard = None
            job.stop.listen(lambda: None)
            chunks.close()

    def _check(self, job: Job) -> None:
        """A connection that was cut may look like the end."""
        job.stop.check()
        if not self._engine.has_image(job.name):
            raise TransientEngineError(
                f"The engine stopped pulling {job.name} before it was complete.",
                mend="Look at the engine's log (`journalctl -u docker`).",
            )


def _again(error: BaseException) -> BaseException:
    if isinstance(error, Stopped):  # only by `close`: who else stops waits no more
        return Stopped()
    if isinstance(error, SandboxError):
        return type(error)(error.message, mend=error.mend)
    return error


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004
