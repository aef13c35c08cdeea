"""Pulling images: each once, a few at a time, with a pause for all if a registry asks for it."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable
from sandbox.docker.engine.failure import NoSpace, RateLimited, TransientEngineError
from sandbox.docker.images.progress import Layers, PullProgress, PullState, messages
from sandbox.supervise import Stop, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.docker.engine import Engine
    from sandbox.docker.images.pace import Pace

    Tell = Callable[[PullProgress], None]

_LOOK_S = 0.1
_LEAST_PAUSE_S = 1.0


class Pull:
    """One image on its way, for all who wait for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stop = Stop()
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.progress = PullProgress(name, PullState.WAITING)
        self.waiting = 0
        """How many wait for it."""
        self.urgent = 0
        """How many of these can do nothing else in the meantime."""
        self.heard: float | None = None
        """When the engine last said something; None: it is not asked."""
        self.cut: Callable[[], None] = lambda: None

    def say(self, stage: PullState, note: str) -> None:
        """Report what the pull waits for, and how far it is."""
        last = self.progress
        self.progress = PullProgress(self.name, stage, last.done_bytes, last.total_bytes, note)


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
            if now >= self._until:  # otherwise another pull met the same limit
                self._hits += 1
            doubled = 2.0 ** (self._hits - 1)
            if retry_after_s is None:
                pause = min(pace.pause_s * doubled, pace.longest_pause_s)
            else:
                pause = max(retry_after_s, min(_LEAST_PAUSE_S * doubled, pace.longest_pause_s))
            pause *= random.uniform(1.0, 1.2)  # noqa: S311 - spreads processes, hides nothing
            self._until = max(self._until, now + pause)

    def release(self) -> None:
        """Note that a pull succeeded."""
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
        """`make_room`: called before each pull, and with True after one that found the disk full;
        returns whether something was removed. `around`: entered for each pull.
        """
        self._engine = engine
        self._pace = pace
        self._brake = Brake(pace)
        self._make_room = make_room
        self._around = around
        self._pulls: dict[str, Pull] = {}
        self._free = at_once
        self._queue: list[Pull] = []
        self._changed = threading.Condition()

    def get(self, name: str, stop: Stop, tell: Tell | None = None, *, urgent: bool = True) -> None:
        """Wait until `name` has been pulled, together with others who want it.

        `tell` is called in this thread, a few times a second. A pull that nobody
        waits for any more is stopped.

        Raises:
            Stopped: the order to stop was given.
            SandboxUnavailable: it cannot be pulled until a person acts.
            SandboxError: the engine failed.
        """
        pull = self._join(name, urgent=urgent)
        last = None
        try:
            while not pull.done.wait(_LOOK_S):
                stop.check()
                self._watch(pull)
                if tell is not None and pull.progress != last:
                    last = pull.progress
                    tell(last)
        finally:
            self._leave(pull, urgent=urgent)
        if pull.error is not None:
            # Each caller gets its own error, because a traceback grows with every raise.
            raise _again(pull.error) from pull.error
        if tell is not None:
            total = pull.progress.total_bytes
            tell(PullProgress(name, PullState.READY, total, total))

    def close(self) -> None:
        """Stop all pulls."""
        with self._changed:
            pulls = list(self._pulls.values())
        for pull in pulls:
            pull.stop.give()

    def _join(self, name: str, *, urgent: bool) -> Pull:
        with self._changed:
            pull = self._pulls.get(name)
            if pull is None:
                pull = self._pulls[name] = Pull(name)
                self._queue.append(pull)
                # A daemon: while the engine looks for the registry, nothing can interrupt it.
                threading.Thread(
                    target=self._work, args=(pull,), name=f"pull {name}", daemon=True
                ).start()
            pull.waiting += 1
            pull.urgent += urgent
            self._changed.notify_all()
            return pull

    def _leave(self, pull: Pull, *, urgent: bool) -> None:
        with self._changed:
            pull.waiting -= 1
            pull.urgent -= urgent
            abandoned = not pull.waiting and not pull.done.is_set()
            if abandoned and self._pulls.get(pull.name) is pull:
                del self._pulls[pull.name]
        if abandoned:
            pull.stop.give()

    def _watch(self, pull: Pull) -> None:
        """Stop a pull of which the engine says nothing, so that it is begun again."""
        heard = pull.heard
        if heard is not None and time.monotonic() - heard > self._pace.stall_s:
            pull.cut()

    def _work(self, pull: Pull) -> None:
        try:
            with self._turn(pull), self._around(pull.name):
                self._persist(pull)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            pull.error = error
        finally:
            with self._changed:
                if self._pulls.get(pull.name) is pull:
                    del self._pulls[pull.name]
                pull.done.set()

    @contextlib.contextmanager
    def _turn(self, pull: Pull) -> Iterator[None]:
        """Wait for a turn. Pulls that somebody waits for come first, otherwise in order."""
        with self._changed:
            try:
                while not self._free or pull is not self._next():
                    self._changed.wait(_LOOK_S)
                    pull.stop.check()
                self._free -= 1
            finally:
                self._queue.remove(pull)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _next(self) -> Pull:
        return next((pull for pull in self._queue if pull.urgent), self._queue[0])

    def _persist(self, pull: Pull) -> None:
        """Pull until the image is there, or a person has to act."""
        tries = 0
        while True:
            self._pause(pull)
            self._make_room(pull.stop, False)
            try:
                self._attempt(pull)
            except RateLimited as error:
                self._brake.hit(error.retry_after_s)
            except NoSpace:
                if not self._make_room(pull.stop, True):
                    raise
            except TransientEngineError as error:
                tries += 1
                if tries >= self._pace.tries:
                    raise SandboxUnavailable(error.message, hint=error.hint) from error
                self._wait_to_retry(pull, tries, error)
            else:
                self._brake.release()
                return

    def _pause(self, pull: Pull) -> None:
        while left := self._brake.left_s():
            pull.say(PullState.PAUSED, f"the registry limits pulls; continuing in {_spoken(left)}")
            pull.stop.sleep(min(left, 1.0))

    def _wait_to_retry(self, pull: Pull, tries: int, error: TransientEngineError) -> None:
        delay = self._pace.retry_s * 4.0 ** (tries - 1) * random.uniform(0.8, 1.2)  # noqa: S311
        pull.say(PullState.PAUSED, f"{error.message}; trying again in {_spoken(delay)}")
        pull.stop.sleep(delay)

    def _attempt(self, pull: Pull) -> None:
        pull.stop.check()
        chunks, cut = self._engine.pull(pull.name)
        pull.cut = cut
        pull.stop.listen(cut)
        layers = Layers(pull.name)
        try:
            pull.heard = time.monotonic()
            for message in messages(chunks):
                pull.heard = time.monotonic()
                pull.progress = layers.add(message)
            self._check(pull)
        except BaseException:
            cut()
            pull.stop.check()
            raise
        finally:
            pull.heard = None
            pull.stop.listen(lambda: None)
            chunks.close()

    def _check(self, pull: Pull) -> None:
        """Make sure that the image is there, because a cut connection may look like the end."""
        pull.stop.check()
        if not self._engine.has_image(pull.name):
            raise TransientEngineError(
                f"The Docker engine stopped pulling {pull.name} before it was complete.",
                hint="Look at the engine's log (`journalctl -u docker`).",
            )


def _again(error: BaseException) -> BaseException:
    if isinstance(error, Stopped):  # only by `close`, because nobody else who stops still waits
        return Stopped()
    if isinstance(error, SandboxError):
        return type(error)(error.message, hint=error.hint)
    return error


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004
