"""No patch buys votes: each of these would, and none gets one under any rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.codebases.reader import RawFile, codebase_from_files
from data.patches.applying import diff_files
from selection.selectors import SELECTORS, needs
from selection.selectors.protocol import Needs, SelectorContext
from selection.settings import SelectionSettings
from selection.support import Support, weigh
from selection.votes import rank
from tests.selection import gaming
from tests.selection.matrices import matrix

if TYPE_CHECKING:
    from data.patches.patch import Patch

FILES = {
    "pkg/__init__.py": "from .ops import two\n",
    "pkg/ops.py": "def two():\n    return 3\n",
    "lib/ops.js": "exports.two = () => 3\n",
    "lib/ops.rb": "def two = 3\n",
    "setup.cfg": "[metadata]\nname = pkg\n",
    "Makefile": "all:\n",
}
HOSTILE = {
    f"{language}: {name}": patch
    for language in ("PYTHON", "JAVASCRIPT", "RUBY", "MAKE")
    for name, patch in getattr(gaming, language).items()
}
PURE = [name for name in SELECTORS if needs(name) is Needs.NOTHING]


class Race:
    """What a selector asks for."""

    def __init__(self, given) -> None:
        self.given = given

    async def matrix(self):
        return self.given


def patched(path: str, text: str) -> Patch:
    """The patch that puts `text` before what the file has, and changes nothing else."""
    codebase = codebase_from_files(RawFile(name, each.encode()) for name, each in FILES.items())
    whole = text + FILES.get(path, "")
    return diff_files({path: whole.encode()}, codebase)


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE.keys())
def given(request):
    """Candidate 1 passes all that there is; the honest candidate 2 passes a part, 3 nothing."""
    plain = matrix("fff", "ppp", "pfp", "fff", kinds="ggr", support=(5, 1, 1))
    bought = replace(plain.candidates[0], patch=patched(*request.param))
    return replace(plain, candidates=(bought, *plain.candidates[1:]))


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 16 + 40
    assert min(len(gaming.JAVASCRIPT), len(gaming.RUBY)) >= 8


@pytest.mark.parametrize("rule", ["paper", "discriminating", "regression", "regression-first"])
def test_none_has_a_vote(given, rule) -> None:
    order = rank(given, rule)
    assert [standing.candidate.number for standing in order] == [2, 3, 1]
    assert order[-1].votes == 0


@pytest.mark.parametrize("name", PURE)
async def test_no_selector_without_a_model_chooses_one(given, name) -> None:
    selector = SELECTORS[name](SelectorContext(SelectionSettings()))
    found = await selector.choose(Race(given), None)
    assert found.choice.number != 1
    assert found.candidates[-1].number == 1


def test_none_is_supported(given) -> None:
    assert weigh(given, 1).support is not Support.SUPPORTED
