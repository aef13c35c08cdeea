"""Bounded concurrency: order, stopping, cancellation."""

import asyncio

import pytest

from agent.slots import Interrupted, Slots, together
from tests.support.waiting import HANG_S


async def test_no_more_than_the_count_hold_at_once():
    slots, held, most = Slots(3), 0, 0

    async def work() -> None:
        nonlocal held, most
        async with slots.hold(0):
            held += 1
            most = max(most, held)
            await asyncio.sleep(0.001)
            held -= 1

    await together(*(work() for _ in range(20)))
    assert most == 3


async def test_older_instances_come_first():
    slots, order = Slots(1), []

    async def work(priority: int) -> None:
        async with slots.hold(priority):
            order.append(priority)
            await asyncio.sleep(0)

    async with slots.hold(0):
        tasks = [asyncio.create_task(work(priority)) for priority in (3, 1, 2, 1)]
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    assert order == [1, 1, 2, 3]


async def test_a_cancelled_waiter_loses_no_place():
    slots = Slots(1)

    async def work() -> None:
        async with slots.hold(0):
            pass

    async with slots.hold(0):
        waiting = asyncio.create_task(work())
        await asyncio.sleep(0)
    waiting.cancel()  # it was given the place a moment ago and has not run since
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.wait_for(work(), HANG_S)


async def test_stop_gives_no_more_places_and_keeps_those_held():
    slots = Slots(1)
    async with slots.hold(0):
        waiting = asyncio.create_task(slots._take(0))
        await asyncio.sleep(0)
        slots.stop()
        with pytest.raises(Interrupted):
            await waiting
    with pytest.raises(Interrupted):
        async with slots.hold(0):
            pass


async def test_together_lets_others_finish_after_an_interruption():
    done = []

    async def interrupted() -> None:
        raise Interrupted

    async def working() -> None:
        await asyncio.sleep(0.01)
        done.append(True)

    with pytest.raises(Interrupted):
        await together(interrupted(), working())
    assert done == [True]


async def test_together_cancels_the_rest_after_an_error_and_raises_that_one():
    cancelled = []

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("it")

    async def working() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def interrupted() -> None:
        raise Interrupted

    with pytest.raises(ValueError, match="it"):
        await together(interrupted(), working(), failing())
    assert cancelled == [True]


async def test_together_gives_results_in_order():
    async def slow(value: int) -> int:
        await asyncio.sleep(0.01 / value)
        return value

    assert await together(*(slow(n) for n in (1, 2, 3))) == [1, 2, 3]
    assert await together() == []


async def test_fair_slots_go_to_whoever_has_the_fewest() -> None:
    slots, order = Slots(2, fair=True), []

    async def work(priority: int) -> None:
        async with slots.hold(priority):
            order.append(priority)
            await asyncio.sleep(0.001)

    # The first instance asks for all of its work before the others ask for any.
    await together(*(work(0) for _ in range(6)), *(work(1) for _ in range(2)), work(2))
    assert order[:2] == [0, 0]
    assert sorted(order[2:6]) == [0, 1, 1, 2]


async def test_a_place_given_to_a_cancelled_caller_goes_on() -> None:
    slots = Slots(1)
    async with slots.hold(0):
        waiting = asyncio.ensure_future(slots._take(1))
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(HANG_S), slots.hold(2):
        assert waiting.cancelled()
