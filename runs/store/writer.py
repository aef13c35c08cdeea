"""One thread writes. Waiting writes are committed together, before their callers continue."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from data.errors import StoreError
from runs.store.database import translated
from runs.store.dialect import deadlocked

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

T = TypeVar("T")
BATCH = 256
"""How many writes may share a commit."""
_RETRIES_S = (0.05, 0.2, 1.0, 1.0, 1.0)


@dataclass(slots=True)
class _Job:
    work: Callable[[sa.Connection], Any]
    future: Future[Any] = field(default_factory=Future)

    def settle(self, result: object, error: BaseException | None) -> None:
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Writer:
    """Runs writes one after the other in its own thread, many in one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self.known: set[str] = set()
        """Digests of texts that this transaction has stored. Another process may remove them later.

        Only the writing thread touches it.
        """
        self.keys: dict[object, int] = {}
        """Primary keys of rows that this transaction has found. The same applies."""
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="troop-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction, and return once it is committed.

        The write happens even if the waiting caller is cancelled.

        Raises:
            StoreError: the database failed, and nothing of `work` was kept; or it is closed.
        """
        written = asyncio.wrap_future(self._queue(work))
        written.add_done_callback(_look_at)
        return await asyncio.shield(written)

    def write_now(self, work: Callable[[sa.Connection], T]) -> T:
        """The same for callers that cannot be cancelled. Blocks until it is committed.

        Raises:
            StoreError: as above.
        """
        return self._queue(work).result()

    def close(self) -> None:
        """Finish what is queued and end the thread. Safe to call twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _queue(self, work: Callable[[sa.Connection], T]) -> Future[T]:
        job = _Job(work)
        job.future.set_running_or_notify_cancel()  # from here on it cannot be cancelled
        with self._lock:
            if self._closed:
                raise StoreError("The database is closed. Nothing more can be stored in it.")
            self._jobs.put(job)
        return job.future

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            ended = False
            while len(batch) < BATCH and not ended:
                try:
                    further = self._jobs.get_nowait()
                except queue.Empty:
                    break
                ended = further is None
                if further is not None:
                    batch.append(further)
            self._commit(batch)
            if ended:
                return

    def _commit(self, batch: list[_Job]) -> None:
        """Commit all of `batch` at once; if that fails, each alone, so that one error stays one."""
        try:
            results = self._transact_again(batch)
        except BaseException as error:  # noqa: BLE001 - handed to the caller that waits for it
            if len(batch) == 1:
                batch[0].settle(None, error)
                return
            for job in batch:
                self._commit([job])
            return
        for job, result in zip(batch, results, strict=True):
            job.settle(result, None)

    def _transact_again(self, batch: list[_Job]) -> list[Any]:
        """Commit all of `batch`; try again if it clashed with another process's writes."""
        for wait_s in _RETRIES_S:
            try:
                return self._transact(batch)
            except StoreError as error:
                if not deadlocked(error):
                    raise
            time.sleep(random.uniform(0, wait_s))  # noqa: S311 - so that they miss each other
        return self._transact(batch)

    def _transact(self, batch: list[_Job]) -> list[Any]:
        self.known.clear()
        self.keys.clear()
        with translated(str(self._engine.url)), self._engine.begin() as connection:
            return [job.work(connection) for job in batch]


def _look_at(written: asyncio.Future[Any]) -> None:
    """Take the error of a write whose caller was cancelled, or asyncio would print a traceback."""
    if not written.cancelled():
        written.exception()
