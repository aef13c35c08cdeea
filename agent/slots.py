"""Bounded concurrency that serves older instances first and can be stopped."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Coroutine,
        Iterable,
        Sequence,
    )


T = TypeVar("T")


class Interrupted(Exception):
    """A person asked to stop. Nothing new begins; what is in flight is finished and stored."""


class Slots:
    """`count` places. The waiter with the lowest priority number comes next.

    `fair`: the priority that holds the fewest places comes first, and among equals the
    one whose last turn is longest ago, so that one instance with much work does not
    keep the others waiting.
    """

    def __init__(self, count: int, *, fair: bool = False) -> None:
        self._free = count
        self._fair = fair
        self._held: Counter[int] = Counter()
        self._turns: Counter[int] = Counter()
        self._turn = 0
        self._waiting: defaultdict[int, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._stopped = False

    @asynccontextmanager
    async def hold(self, priority: int) -> AsyncIterator[None]:
        """Wait for a place and keep it inside the `with` block.

        Raises:
            Interrupted: `stop` was called before it got a place.
        """
        await self._take(priority)
        try:
            yield
        finally:
            self._give(priority)

    @property
    def held(self) -> int:
        """How many places are held now."""
        return sum(self._held.values())

    def stop(self) -> None:
        """Give out no more places. Those that are held stay held."""
        self._stopped = True
        for line in self._waiting.values():
            for waiter in line:
                if not waiter.done():
                    waiter.set_exception(Interrupted())
        self._waiting.clear()

    async def _take(self, priority: int) -> None:
        if self._stopped:
            raise Interrupted
        if self._free:
            self._grant(priority)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[priority].append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._give(priority)
            raise

    def _give(self, priority: int) -> None:
        self._held[priority] -= 1
        self._free += 1
        while self._waiting and self._free:
            chosen = min(self._waiting, key=self._rank)
            line = self._waiting[chosen]
            waiter = line.popleft()
            if not line:
                del self._waiting[chosen]
            if not waiter.done():
                waiter.set_result(None)
                self._grant(chosen)

    def _grant(self, priority: int) -> None:
        self._free -= 1
        self._held[priority] += 1
        self._turn += 1
        self._turns[priority] = self._turn

    def _rank(self, priority: int) -> tuple[int, ...]:
        if not self._fair:
            return (priority,)
        return (self._held[priority], self._turns[priority], priority)


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Run all of `work` at once and give the results in order.

    If one raises `Interrupted`, the others finish what they have in flight, so
    that it is stored, and it is raised at the end. Any other error cancels the
    rest and is raised once they have ended.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
            if any(_failed(task) for task in done):
                break
    finally:
        endings = await _cancelled(tasks)
    _raise_worst(endings)
    return [task.result() for task in tasks]


async def as_they_end(*work: Coroutine[Any, Any, T]) -> AsyncGenerator[T]:
    """Run all of `work` at once and give the results as they come; errors as in `together`."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if any(_failed(task) for task in done):
                break
            for task in tasks:
                if task in done and task.exception() is None:
                    yield task.result()
    finally:
        endings = await _cancelled(tasks)
    _raise_worst(endings)


async def for_each(
    items: AsyncGenerator[T], work: Callable[[T], Coroutine[Any, Any, None]]
) -> None:
    """Begin `work` on each item as it comes, and wait for all of it; errors as in `together`."""
    tasks: list[asyncio.Task[None]] = []

    async def pull() -> None:
        async for item in items:
            tasks.extend(asyncio.ensure_future(one) for one in (work(item), pull()))
            return

    async with aclosing(items):
        tasks.append(asyncio.ensure_future(pull()))
        try:
            while pending := [task for task in tasks if not task.done()]:
                done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                if any(_failed(task) for task in done):
                    break
        finally:
            endings = await _cancelled(tasks)
        _raise_worst(endings)


async def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> list[Any]:
    """Cancel the tasks that still run. Returns all results and errors once they have ended."""
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


def _raise_worst(endings: Iterable[object]) -> None:
    """Raise the most important error, if there is any."""
    errors = [ending for ending in endings if isinstance(ending, BaseException)]
    for error in sorted(errors, key=lambda e: isinstance(e, (Interrupted, asyncio.CancelledError))):
        raise error


def _failed(task: asyncio.Task[Any]) -> bool:
    error = None if task.cancelled() else task.exception()
    return task.cancelled() or (error is not None and not isinstance(error, Interrupted))
