"""This process's work on a run that others may share: claims, heartbeats, take-overs.

Each instance is claimed before work on it begins. If another worker holds it, this one waits until
that worker has released it or is gone. Work on an instance that is lost is cancelled at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from typing import TYPE_CHECKING, Self

from agent.slots import Interrupted
from data.errors import LeaseLost, StoreError
from runs.store.ownership import Claim, Holder, busy
from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from agent.slots import Slots
    from runs.run.display import Display
    from runs.store.instances import Ended
    from runs.store.ownership import Worker
    from runs.store.registry import InstanceHandle
    from runs.store.store import Store

BEATS = 6
"""Heartbeats in a lease."""
_LOOK_S = 2.0
"""The shortest time between two looks whether an instance of others has become free."""


class Shift:
    """A worker, from its first claim to its end; a context manager."""

    def __init__(
        self, store: Store, worker: Worker, slots: Slots, display: Display, stop: asyncio.Event
    ) -> None:
        """`slots`: how many instances are worked on at once; `stop`: a person asked to stop."""
        self.status: Status | None = Status.FAILED
        """The run's status if this worker is the last and instances are left; None: unchanged."""
        self._store = store
        self._worker = worker
        self._slots = slots
        self._display = display
        self._stop = stop
        self._every_s = worker.terms.lease_s / BEATS
        self._open = 0
        """Instances that have not come to their end, as far as this process knows."""
        self._watched: dict[Claim, asyncio.Task[None]] = {}
        """The claims that the heartbeat renews."""
        self._lost: dict[asyncio.Task[None], LeaseLost] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._told = False
        self._over = threading.Event()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        # A thread, because the event loop may be busy for longer than a lease.
        self._heart = threading.Thread(target=self._beat, name="troop-heartbeat", daemon=True)
        self._heart.start()
        self._looking = asyncio.ensure_future(self._look())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._looking.cancel()
        self._over.set()
        self._heart.join()
        stopped = (LeaseLost, asyncio.CancelledError)
        otherwise = Status.INTERRUPTED if isinstance(error, stopped) else self.status
        try:
            self._store.leave(self._worker, otherwise)
        except StoreError:
            if error is None:  # otherwise the first failure says more
                raise

    async def work(
        self,
        order: int,
        row: InstanceHandle,
        claim: Callable[[Worker], Awaitable[Claim | Holder | Ended]],
        do: Callable[[Claim], Awaitable[None]],
    ) -> Ended | None:
        """Do the work on an instance, as soon as it can be claimed.

        Gives None if it was done here, or how the instance ended if somebody else did it.

        Raises:
            LeaseLost: it was taken over, and this worker is not to wait for it.
            StoreError: another worker holds it, and this one is not to wait for it.
            Interrupted: a person asked to stop.
            Exception: what `do` raises.
        """
        self._open += 1
        try:
            while True:
                async with self._slots.hold(order):
                    found = await claim(self._worker)
                    if isinstance(found, Claim):
                        if await self._hold(found, do):
                            return None
                    elif not isinstance(found, Holder):
                        return found
                    elif not self._worker.terms.waits:
                        raise busy(row.instance_id, found)
                await self._free(row)
        finally:
            self._open -= 1

    def finishing(self, claim: Claim) -> None:
        """The next write to the instance is the last; it checks by itself that the claim holds."""
        self._watched.pop(claim, None)

    async def _hold(self, claim: Claim, do: Callable[[Claim], Awaitable[None]]) -> bool:
        """Do the work, unless the claim is lost on the way; whether it was done."""
        work = asyncio.ensure_future(_awaited(do, claim))
        self._watched[claim] = work
        try:
            await work
        except (Exception, asyncio.CancelledError) as error:
            lost = self._lost.pop(work, error if isinstance(error, LeaseLost) else None)
            current = asyncio.current_task()
            if lost is None or (current is not None and current.cancelling()):
                raise
            if not self._worker.terms.waits:
                raise lost from None
            self._display.note(lost.message)
            self._display.enter(claim.instance_id, Status.WAITING)
            return False
        finally:
            self.finishing(claim)
        return True

    async def _free(self, row: InstanceHandle) -> None:
        """Wait until nobody holds the instance any more."""
        waiter = self._waiting[row.key] = self._loop.create_future()
        try:
            await asyncio.wait({waiter, self._looking}, return_when=asyncio.FIRST_COMPLETED)
            if not waiter.done():
                self._looking.result()  # raises what went wrong
                raise Interrupted
        finally:
            del self._waiting[row.key]

    async def _look(self) -> None:
        """Wake up those that wait for instances that are free now, until a person asks to stop."""
        answers = True
        while not await self._stopped(min(self._every_s, _LOOK_S)):
            if not self._waiting:
                continue
            try:
                held = await self._store.held_by_others(self._worker, list(self._waiting))
                answers = True
            except StoreError as error:
                if answers:
                    self._display.note(f"{error.message} It is tried again until it answers.")
                answers = False
                continue
            self._tell(held)
            for key, waiter in self._waiting.items():
                if key not in held and not waiter.done():
                    waiter.set_result(None)

    async def _stopped(self, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), within_s)
        return self._stop.is_set()

    def _tell(self, held: dict[int, Holder]) -> None:
        """Say once that nothing is left to do but wait, and for whom."""
        if self._told or len(held) < self._open:
            return
        self._told = True
        counts = Counter(map(str, held.values()))
        by = ", ".join(f"{who} ({count})" for who, count in sorted(counts.items()))
        many = "1 instance" if len(held) == 1 else f"{len(held)} instances"
        self._display.note(
            f"Waiting for {many} that other processes work on: {by}."
            " What they leave unfinished is taken over."
        )

    def _beat(self) -> None:
        """Renew the lease until the end, in a thread of its own."""
        while not self._over.wait(self._every_s):
            watched = dict(self._watched)  # what is claimed later is not checked
            # Without the database nobody can take over either: the next beat tries again.
            with contextlib.suppress(StoreError):
                for claim, error in self._store.beat(self._worker, list(watched)).items():
                    self._loop.call_soon_threadsafe(self._drop, claim, watched[claim], error)

    def _drop(self, claim: Claim, work: asyncio.Task[None], error: LeaseLost) -> None:
        """End the work on an instance that another worker has now."""
        if self._watched.get(claim) is work and not work.done():
            self._lost[work] = error
            work.cancel()


async def _awaited(do: Callable[[Claim], Awaitable[None]], claim: Claim) -> None:
    await do(claim)
