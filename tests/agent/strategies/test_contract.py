"""What every strategy keeps to: those of the registry, and the one that docs/strategies.md adds."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from agent.context import Context
from agent.outcome import Outcome
from agent.settings import ModelSettings, SampleSettings
from agent.strategies import STRATEGIES
from tests.support import scripted_model
from tests.support.benches import opened
from tests.support.model_server import ModelServer, refuse
from tests.support.pages import example

if TYPE_CHECKING:
    from agent.strategies.protocol import Sample, Strategy
    from agent.workbench import Workbench

pytestmark = pytest.mark.slow

ALL = {**STRATEGIES, "edits-only": example("docs/strategies.md")["EditsOnly"]}
CONTEXT = Context((), "<issue>\nmean([]) raises\n</issue>\n\n")


@pytest.fixture
def server():
    with ModelServer(scripted_model.answer) as running:
        yield running


@pytest.fixture(params=ALL)
def strategy(request) -> Strategy:
    # One reply a request: what a sample is told must not depend on how many there are.
    model = ModelSettings(name="mock", samples_per_call=1)
    return ALL[request.param](model, SampleSettings(editing_turns=2, testing_turns=3))


async def drawn(strategy: Strategy, bench: Workbench, *numbers: int) -> dict[int, Sample]:
    found = {}
    async with aclosing(strategy.samples(bench, CONTEXT, numbers)) as samples:
        async for sample in samples:
            assert sample.number not in found
            found[sample.number] = sample
    return found


async def test_each_number_is_one_sample(strategy, server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        found = await drawn(strategy, bench, 1, 2, 3)
    assert set(found) == ({1, 2, 3} if strategy.asks else set())
    assert bool(server.requests) == strategy.asks
    for sample in found.values():
        assert sample.outcome in set(Outcome)
        assert sample.script or sample.patch


async def test_what_is_recorded_is_not_asked_again(strategy, server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        first = await drawn(strategy, bench, 1, 2)
    async with opened(tmp_path, None) as bench:  # nothing can be asked or executed here
        assert await drawn(strategy, bench, 1, 2) == first


async def test_more_samples_leave_the_first_as_they_are(strategy, server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        few = await drawn(strategy, bench, 1, 2)
    asked = len(server.requests)
    async with opened(tmp_path, server.base_url) as bench:
        more = await drawn(strategy, bench, 1, 2, 3, 4)
    assert {number: more[number] for number in few} == few
    assert len(more) == 2 * len(few)
    assert len(server.requests) <= 2 * asked


async def test_a_server_that_refuses_ends_samples_not_the_run(strategy, tmp_path):
    with ModelServer(lambda body: refuse(400, "not this")) as server:
        async with opened(tmp_path, server.base_url) as bench:
            found = await drawn(strategy, bench, 1, 2)
    assert {sample.outcome for sample in found.values()} <= {Outcome.REJECTED}
    assert not any(sample.patch for sample in found.values())


async def test_who_stops_listening_leaves_nothing_running(strategy, server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        before = asyncio.all_tasks()
        async with aclosing(strategy.samples(bench, CONTEXT, (1, 2, 3))) as samples:
            async for _ in samples:
                break
        assert asyncio.all_tasks() <= before


async def test_trajectories_are_named_after_their_sample(strategy, server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        await drawn(strategy, bench, 1, 2)
        named = set(bench.journal._recorded.endings)
    assert all(key.startswith(("sample-1/", "sample-2/")) for key in named)
    assert bool(named) == strategy.asks
