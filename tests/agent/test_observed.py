"""What the workbench tells those who watch: who waits for what, and when it is over."""

import asyncio

import pytest

from agent.conversation import Conversation
from agent.journal import Kind, TrajectoryId
from agent.observer import Doing, Unobserved
from agent.slots import Slots
from data.patches.patch import UNEDITED
from sandbox.protocol import Script
from tests.support.benches import opened
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.slow

SCRIPT = Script("print('here')")


class Watcher(Unobserved):
    """Keeps all that it is told."""

    def __init__(self):
        self.told = []
        self.last = {}

    def doing(self, effect, doing):
        self.last[effect] = doing
        keys = tuple(trajectory.key for trajectory in effect.trajectories)
        self.told.append((keys, doing))

    def under_way(self):
        return sorted(doing for doing in self.last.values() if doing is not Doing.OVER)


def talk(bench, number):
    return Conversation(
        bench,
        TrajectoryId(f"sample-{number}/editing", Kind.EDITING, number),
        model="mock",
        temperature=0.0,
        max_tokens=100,
        system="",
    )


async def test_waiting_for_a_slot_and_for_the_model_are_two_things(tmp_path):
    with ModelServer(lambda body: "hello") as server:
        async with opened(tmp_path, server.base_url) as bench:
            bench.observer = watcher = Watcher()
            bench._model_slots = Slots(1)
            await asyncio.gather(*(talk(bench, number).ask("hi") for number in (1, 2)))
    first, second = ("sample-1/editing",), ("sample-2/editing",)
    assert [told for told in watcher.told if told[0] == first] == [
        (first, Doing.CALL_SLOT),
        (first, Doing.MODEL),
        (first, Doing.OVER),
    ]
    assert watcher.told.index((second, Doing.CALL_SLOT)) < watcher.told.index((first, Doing.OVER))
    assert watcher.told.index((second, Doing.MODEL)) >= watcher.told.index((first, Doing.OVER)) - 1


@pytest.mark.slow
async def test_a_script_that_several_wait_for_is_theirs_together(tmp_path):
    with ModelServer(lambda body: "hello") as server:
        async with opened(tmp_path, server.base_url) as bench:
            bench.observer = watcher = Watcher()
            talks = [talk(bench, number) for number in (1, 2)]
            await asyncio.gather(*(one.run(SCRIPT, UNEDITED, "before") for one in talks))
    assert [doing for _, doing in watcher.told] == [
        Doing.SANDBOX_SLOT,
        Doing.SCRIPT,
        Doing.OVER,
    ]
    assert set(watcher.told[-1][0]) == {"sample-1/editing", "sample-2/editing"}


async def test_what_fails_or_is_stopped_is_over_too(tmp_path):
    with ModelServer(lambda body: "hello") as server:
        async with opened(tmp_path, server.base_url) as bench:
            bench.observer = watcher = Watcher()
            bench._sandbox_slots = slots = Slots(0)
            waiting = asyncio.ensure_future(talk(bench, 1).run(SCRIPT, UNEDITED, "before"))
            await asyncio.wait([waiting], timeout=0.1)
            assert watcher.under_way() == [Doing.SANDBOX_SLOT]
            slots.stop()
            await asyncio.gather(waiting, return_exceptions=True)
    assert watcher.under_way() == []
