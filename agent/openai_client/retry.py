"""Waiting for a server: exponential backoff with jitter, Retry-After, a budget of wall time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

import tenacity

FIRST_S = 0.5
LONGEST_S = 30.0

OnRetry = Callable[[str, float], None]
T = TypeVar("T")


class TryAgain(Exception):
    """An attempt failed, but another may succeed."""

    def __init__(self, reason: str, *, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s
        """Seconds that the server asked to wait."""


class GivenUp(Exception):
    """The budget is spent, or the next wait would overrun it."""

    def __init__(self, last: TryAgain, *, attempts: int, spent_s: float) -> None:
        super().__init__(last.reason)
        self.last = last
        self.attempts = attempts
        self.spent_s = spent_s


@dataclass
class Patience:
    """One call's retries. The budget starts at the first failure, so a long reply uses none of it.

    No attempt begins after the budget is spent. An attempt that has begun is not cut short.
    """

    budget_s: float
    on_retry: OnRetry | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic
    attempts: int = field(default=0, init=False)
    _first_failure: float | None = field(default=None, init=False)

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Call `attempt` until it no longer raises `TryAgain`; raises `GivenUp` after the budget.

        Any other exception from `attempt` is raised at once.
        """
        retrying = tenacity.AsyncRetrying(
            sleep=self.sleep,
            retry=tenacity.retry_if_exception_type(TryAgain),
            wait=self._wait_s,
            stop=self._is_over,
            before_sleep=self._tell,
            reraise=True,
        )

        async def counted() -> T:
            self.attempts += 1
            return await attempt()

        try:
            return await retrying(counted)
        except TryAgain as last:
            given_up = GivenUp(last, attempts=self.attempts, spent_s=self._spent_s())
        raise given_up

    def _spent_s(self) -> float:
        return 0.0 if self._first_failure is None else self.now() - self._first_failure

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        if self._first_failure is None:
            self._first_failure = self.now()
        return wait_s(state.attempt_number, _failure(state).after_s)

    def _is_over(self, state: tenacity.RetryCallState) -> bool:
        return self._spent_s() + state.upcoming_sleep > self.budget_s

    def _tell(self, state: tenacity.RetryCallState) -> None:
        if self.on_retry is not None:
            self.on_retry(_failure(state).reason, state.upcoming_sleep)


def wait_s(
    attempt: int,
    after_s: float | None,
    *,
    uniform: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds to wait after the `attempt`-th failure (counted from 1)."""
    if after_s is not None:
        # Calls that were refused together must not come back together, so some wait longer.
        return max(FIRST_S, after_s + uniform(0.0, min(1.0, after_s / 10)))
    longest = min(LONGEST_S, FIRST_S * 2.0 ** min(attempt, 20))
    return uniform(longest / 2, longest)


def retry_after_s(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds that Retry-After asks for, as seconds or an HTTP date; None: it says none.

    `headers` finds names in lower case; `now` is seconds since 1970.
    """
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
            seconds = date.timestamp() - (time.time() if now is None else now)
        except (ValueError, TypeError, OverflowError):
            return None
        return max(0.0, seconds)
    return seconds if 0 <= seconds < float("inf") else None


def _failure(state: tenacity.RetryCallState) -> TryAgain:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, TryAgain)  # noqa: S101 - what `retry_if_exception_type` lets through
    return error
