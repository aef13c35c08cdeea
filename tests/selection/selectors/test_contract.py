"""What every selector keeps to: the registry's, the oracle, and that of docs/selectors.md."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.workbench import NotRecordedError
from data.patches.patch import Patch
from runs.compare.oracle import oracle
from selection.race import StoredRace
from selection.selectors import SELECTORS, needs
from selection.selectors.protocol import Needs, Ranking, Reason, SelectorContext
from selection.settings import SelectionSettings
from tests.selection.matrices import matrix
from tests.support.benches import opened
from tests.support.model_server import ModelServer, refuse
from tests.support.pages import example

if TYPE_CHECKING:
    from selection.matrix import Matrix
    from selection.selectors.protocol import Selector

pytestmark = pytest.mark.slow

ALL = {
    **SELECTORS,
    "oracle": lambda _: oracle({1: False, 2: True, 3: True}),
    "fewest-files": example("docs/selectors.md")["fewest_files"],
}
ASKING = [name for name in SELECTORS if needs(name) is not Needs.NOTHING]
BUYS = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n import os\n+os._exit(0)\n"
THREE = matrix("ff", "pf", "pp", "fp")


async def context() -> str:
    return "<issue>\nmean([]) raises\n</issue>\n\n"


def race(given: Matrix) -> StoredRace:
    return StoredRace(given, context)


@pytest.fixture
def server():
    with ModelServer(lambda body: "The second is right.\n\n<choose>B</choose>") as running:
        yield running


@pytest.fixture(params=ALL)
def name(request) -> str:
    return request.param


@pytest.fixture
def selector(name) -> Selector:
    return ALL[name](SelectorContext(SelectionSettings(), "mock", anew=True))


async def chosen(selector: Selector, given: Matrix, folder, base_url: str | None) -> Ranking:
    async with opened(folder, base_url) as bench:
        return await selector.choose(race(given), bench)


async def test_all_candidates_are_ranked_once(name, selector, server, tmp_path):
    ranking = await chosen(selector, THREE, tmp_path, server.base_url)
    numbers = [candidate.number for candidate in ranking.candidates]
    assert sorted(numbers) == ([2, 3] if name == "oracle" else [1, 2, 3])
    assert ranking.choice is ranking.candidates[0]
    assert ranking.reason
    assert ranking.decided_by in set(Reason)


async def test_without_candidates_there_is_no_choice(selector, server, tmp_path):
    ranking = await chosen(selector, matrix("f"), tmp_path, server.base_url)
    assert (ranking.candidates, ranking.choice) == ((), None)
    assert server.requests == []


async def test_one_candidate_needs_no_model(name, selector, server, tmp_path):
    ranking = await chosen(selector, matrix("f", "p"), tmp_path, server.base_url)
    assert [c.number for c in ranking.candidates] == ([] if name == "oracle" else [1])
    assert server.requests == []


async def test_the_same_race_is_ranked_alike_and_asked_once(selector, server, tmp_path):
    first = await chosen(selector, THREE, tmp_path, server.base_url)
    asked = len(server.requests)
    assert bool(asked) == (selector.needs is not Needs.NOTHING)
    assert await chosen(selector, THREE, tmp_path, None) == first  # nothing can be asked here
    assert len(server.requests) == asked


@pytest.mark.parametrize("name", ASKING, indirect=True)
async def test_who_only_recalls_is_told_what_was_never_answered(selector, tmp_path):
    with pytest.raises(NotRecordedError):
        await chosen(selector, THREE, tmp_path, None)


async def test_another_race_is_another_question(selector, server, tmp_path):
    await chosen(selector, THREE, tmp_path, server.base_url)
    asked = len(server.requests)
    await chosen(selector, matrix("ff", "pf", "pp", "pp"), tmp_path, server.base_url)
    judged = selector.needs is Needs.MODEL  # it reads diffs, which are the same
    assert len(server.requests) == (asked if judged else 2 * asked)


def flagged(given: Matrix, *numbers: int) -> Matrix:
    """The same race, in which the patches of these candidates could buy votes."""
    candidates = tuple(
        replace(c, patch=Patch(f"{BUYS}# {c.number}\n", f"bought {c.number}"))
        if c.number in numbers
        else c
        for c in given.candidates
    )
    return replace(given, candidates=candidates)


BOUGHT = matrix("ff", "pp", "pf", "ff", support=(5, 1, 1))
"""Candidate 1 has the most votes, of tests and of writers."""


async def test_a_flagged_candidate_comes_last_where_no_model_is_shown_its_flags(
    name, selector, server, tmp_path
):
    if name in {"oracle", "fewest-files"}:
        pytest.skip("it is no registered selector")
    ranking = await chosen(selector, flagged(BOUGHT, 1), tmp_path, server.base_url)
    if name != "selection":
        assert ranking.candidates[-1].number == 1
        assert not any("os._exit" in str(request) for request in server.requests)


@pytest.mark.parametrize("name", ["selection"], indirect=True)
@pytest.mark.parametrize(("letter", "first"), [("A", 2), ("C", 1)])
async def test_the_selection_trajectory_clears_a_flagged_candidate(
    selector, tmp_path, letter, first
):
    with ModelServer(lambda body: f"<choose>{letter}</choose>") as server:
        ranking = await chosen(selector, flagged(BOUGHT, 1), tmp_path, server.base_url)
    (request,) = server.requests
    assert "ends the process without the caller: os._exit(0)" in str(request)
    assert (ranking.choice.number, ranking.decided_by) == (first, Reason.SELECTION)


@pytest.mark.parametrize("name", ["model"], indirect=True)
async def test_a_judge_clears_none_even_if_all_are_flagged(selector, server, tmp_path):
    ranking = await chosen(selector, flagged(BOUGHT, 1, 2, 3), tmp_path, server.base_url)
    assert (ranking.choice.number, ranking.decided_by) == (1, Reason.VOTE)
    assert server.requests == []


@pytest.mark.parametrize("name", ASKING, indirect=True)
async def test_a_model_that_gives_no_answer_leaves_the_order(selector, tmp_path):
    with ModelServer(lambda body: refuse(400, "not this")) as server:
        ranking = await chosen(selector, THREE, tmp_path, server.base_url)
    assert ranking.decided_by is Reason.FALLBACK
    assert "no usable answer (rejected)" in ranking.reason
    assert len(ranking.candidates) == 3
