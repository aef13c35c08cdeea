"""Waiting: how long, how often, and when to stop."""

import asyncio
from email.utils import formatdate

import pytest

from agent.openai_client.retry import GivenUp, Patience, TryAgain, retry_after_s, wait_s


def low(least, _most):
    return least


def high(_least, most):
    return most


def test_waits_grow_from_half_a_second_to_thirty():
    assert [wait_s(n, None, uniform=low) for n in (1, 2, 3, 6, 7, 99)] == [0.5, 1, 2, 15, 15, 15]
    assert [wait_s(n, None, uniform=high) for n in (1, 2, 3, 6, 7, 99)] == [1, 2, 4, 30, 30, 30]


def test_waits_as_long_as_the_server_asks_and_little_longer():
    assert wait_s(1, 20, uniform=low) == 20
    assert wait_s(1, 20, uniform=high) == 21
    assert wait_s(9, 2, uniform=high) == 2.2
    assert wait_s(1, 0, uniform=high) == 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        (" 2.5 ", 2.5),
        ("0", 0),
        ("-3", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("soon", None),
        (formatdate(1_000_030, usegmt=True), 30),
        (formatdate(1_000_000 - 60, usegmt=True), 0),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after(text, expected):
    assert retry_after_s({"retry-after": text}, now=1_000_000) == expected


def test_no_retry_after():
    assert retry_after_s({}) is None


class Clock:
    def __init__(self):
        self.time = 0.0

    async def sleep(self, seconds):
        self.time += seconds


async def fail(**after):
    raise TryAgain("busy", **after)


async def test_gives_up_before_the_budget_is_overrun():
    clock = Clock()
    patience = Patience(100, sleep=clock.sleep, now=lambda: clock.time)
    with pytest.raises(GivenUp) as caught:
        await patience.run(fail)
    assert 70 <= clock.time <= 100
    assert caught.value.attempts == patience.attempts > 5
    assert caught.value.spent_s == clock.time


async def test_the_budget_runs_from_the_first_failure():
    """A long generation that then fails is worth another attempt."""
    clock = Clock()
    left = [600.0, 0.0]

    async def slow():
        clock.time += left.pop(0)
        if left:
            await fail()
        return "x"

    assert await Patience(10, sleep=clock.sleep, now=lambda: clock.time).run(slow) == "x"


async def test_no_budget_is_one_attempt():
    with pytest.raises(GivenUp) as caught:
        await Patience(0).run(fail)
    assert caught.value.attempts == 1


async def test_other_errors_pass_at_once():
    async def broken():
        raise KeyError("x")

    with pytest.raises(KeyError):
        await Patience(100).run(broken)


async def test_calls_do_not_share_their_state():
    clock = Clock()
    reasons = []

    async def call(number):
        left = [TryAgain(f"{number}.{turn}") for turn in range(number)]

        async def attempt():
            await asyncio.sleep(0)
            if left:
                raise left.pop(0)
            return number

        patience = Patience(
            1e9, lambda reason, _wait: reasons.append(reason), clock.sleep, lambda: clock.time
        )
        assert await patience.run(attempt) == number
        assert patience.attempts == number + 1

    await asyncio.gather(*(call(number) for number in range(8)))
    assert sorted(reasons) == sorted(f"{n}.{turn}" for n in range(8) for turn in range(n))
