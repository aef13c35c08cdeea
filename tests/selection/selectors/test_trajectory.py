"""Which candidates the selection trajectory is shown, and which question that is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.patches.patch import Patch
from selection import candidates
from selection.race import StoredRace
from selection.selectors import SELECTORS
from selection.selectors.protocol import SelectorContext
from selection.settings import SelectionSettings
from tests.selection.matrices import matrix
from tests.support.benches import opened
from tests.support.model_server import ModelServer

if TYPE_CHECKING:
    from selection.matrix import Matrix

pytestmark = pytest.mark.slow

BUYS = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n import os\n+os._exit(0)\n"


async def context() -> str:
    return "<issue>\nmean([]) raises\n</issue>\n\n"


async def ask(given: Matrix, folder, finalists: int = 3, letter: str = "A"):
    """The ranking, and what the model was asked in this call."""
    settings = SelectionSettings(finalists=finalists)
    selector = SELECTORS["selection"](SelectorContext(settings, "mock", anew=True))
    with ModelServer(lambda body: f"<choose>{letter}</choose>") as server:
        async with opened(folder, server.base_url) as bench:
            ranking = await selector.choose(StoredRace(given, context), bench)
    return ranking, [str(request) for request in server.requests]


def bought(given: Matrix) -> Matrix:
    """The same race, in which the last candidate's patch could buy votes."""
    *others, last = given.candidates
    return replace(given, candidates=(*others, replace(last, patch=Patch(BUYS, "bought"))))


@pytest.mark.parametrize(("count", "shown"), [(13, 13), (20, 20), (26, 26), (40, 26)])
async def test_as_many_are_shown_as_were_asked_for_and_have_letters(tmp_path, count, shown):
    given = matrix("f", *["p"] * 30)
    _, (request,) = await ask(given, tmp_path, count)
    assert request.count("## Candidate ") == shown


async def test_flagged_ones_beyond_the_letters_are_not_shown(tmp_path):
    given = bought(matrix("ff", *["pf"] * 29, "pp"))
    ranking, (request,) = await ask(given, tmp_path, 26)
    assert request.count("## Candidate ") == 26
    assert ranking.candidates[-1].number == 30


async def test_an_answer_without_the_flags_does_not_clear(tmp_path, monkeypatch):
    given = bought(matrix("ff", "pp", "pf"))  # in the same order with and without its flags
    with monkeypatch.context() as before:
        before.setattr(candidates, "flags_of", lambda diff: ())
        ranking, _ = await ask(given, tmp_path, letter="B")
        assert ranking.choice.number == 2
    ranking, requests = await ask(given, tmp_path, letter="A")
    assert ["ends the process" in request for request in requests] == [True]
    assert ranking.choice.number == 1
