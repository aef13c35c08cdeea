"""The race grows as samples end, may be asked at any time, and knows no first comers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from agent.outcome import Outcome
from agent.slots import together
from agent.strategies.protocol import Sample
from data.patches.applying import diff_files
from data.patches.patch import UNEDITED
from sandbox.protocol import Script
from selection.candidates import Entry, TestKind
from selection.matrix import UNEDITED_ROW, Verdict
from selection.race import GrowingRace
from selection.settings import SelectionSettings
from tests.support.benches import opened
from tests.support.model_server import ModelServer
from tests.support.scripted_model import FILES, STRONG, WEAK

if TYPE_CHECKING:
    from agent.workbench import Workbench
    from data.patches.patch import Patch

pytestmark = pytest.mark.slow

OPS = FILES["calc/ops.py"]
MEAN = "    return sum(values) / len(values)\n"
GUARDED = "    return sum(values) / len(values) if values else 0.0\n"
BREAKING = "    return 0.0\n"


async def context() -> str:
    return "the issue"


@pytest.fixture
def server():
    with ModelServer(lambda body: "nothing is asked here") as running:
        yield running


def edited(bench: Workbench, *changes: tuple[str, str]) -> Patch:
    text = OPS
    for old, new in changes:
        text = text.replace(old, new)
    return diff_files({"calc/ops.py": text.encode()}, bench.codebase)


def samples(bench: Workbench) -> list[Sample]:
    """Two that are equal but for a comment, one that breaks what worked, one without a test."""
    right = edited(bench, (MEAN, GUARDED))
    alike = edited(bench, (MEAN, GUARDED.replace("\n", "  # an empty list\n")))
    breaks = edited(bench, (MEAN, BREAKING))
    weak, strong = Script(WEAK.format(variant=1)), Script(STRONG.format(variant=2))
    return [
        Sample(1, Outcome.DONE, weak, alike),
        Sample(2, Outcome.DONE, strong, breaks),
        Sample(3, Outcome.DONE, weak, right),
        Sample(4, Outcome.NO_EDIT, None, UNEDITED),
    ]


def growing(bench: Workbench, **settings: object) -> GrowingRace:
    return GrowingRace(bench, SelectionSettings(**settings), context)


async def test_numbers_do_not_depend_on_who_came_first(server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        entries = samples(bench)
        found = []
        for seed in range(3):
            race = growing(bench)
            order = random.Random(seed).sample(entries, len(entries))
            await race.add_candidate(Entry(edited(bench, ("/ len", "// len")), source="theirs"))
            await together(*map(race.add_sample, order))
            found.append(await race.matrix())
    assert found[0] == found[1] == found[2]
    matrix = found[0]
    assert [(c.number, c.samples, c.sources) for c in matrix.candidates] == [
        (1, (1, 3), ()),
        (2, (2,), ()),
        (3, (), ("theirs",)),
    ]
    assert "# an empty list" not in matrix.candidates[0].patch.diff  # the shortest stands
    written = matrix.only(TestKind.GENERATED).tests
    assert [(test.number, test.samples) for test in written] == [(1, (1, 3)), (2, (2,))]


async def test_a_cell_keeps_what_was_run(server, tmp_path):
    old = "from calc import mean\n\n\ndef test_two():\n    assert mean([1, 3]) == 2\n"
    files = FILES | {"tests/test_ops.py": old}
    async with opened(tmp_path, server.base_url, files) as bench:
        race = growing(bench)
        for sample in samples(bench):
            await race.add_sample(sample)
        matrix = await race.matrix()
        (own,) = matrix.only(TestKind.REGRESSION).tests
        assert own.label == "tests/test_ops.py"
        for place, cell in matrix.cells.items():
            script = next(t.script for t in matrix.tests if t.number == place[1])
            assert bench.journal.recall_execution(script, cell.patch) == cell.execution
        broken = matrix.cells[2, own.number]
    assert (broken.verdict, matrix.said(1, own)) == (Verdict.FAIL, Verdict.PASS)
    assert broken.broken == 1
    assert "1 of 1 tests that passed before the edit do not pass" in broken.execution.output
    assert matrix.said(UNEDITED_ROW, own) is Verdict.PASS
    assert [file.test for file in matrix.regression_files] == [own.number]


async def test_it_may_be_asked_while_it_grows(server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        race = growing(bench, regression_files=0)
        assert (await race.matrix()).candidates == ()
        first, second, *_ = samples(bench)
        await race.add_sample(second)
        alone = await race.matrix()
        assert [c.samples for c in alone.candidates] == [(2,)]
        await race.add_sample(first)
        both = await race.matrix()
        assert await race.matrix() is both  # nobody has joined since
    assert [c.samples for c in both.candidates] == [(1,), (2,)]
    assert len(both.cells) == 2 * 3


async def test_what_was_run_is_not_run_again(server, tmp_path):
    async with opened(tmp_path, server.base_url) as bench:
        race = growing(bench)
        for sample in samples(bench):
            await race.add_sample(sample)
        first = await race.matrix()
        ran = len(bench._sandbox.executed)
        pairs = {(text, patch) for text, patch in bench._sandbox.executed}
        again = growing(bench)
        for sample in samples(bench):
            await again.add_sample(sample)
        assert await again.matrix() == first
        assert len(bench._sandbox.executed) == ran
    # Each test that counts was repeated once, on the unedited code and on one candidate.
    assert ran > len(pairs)


async def test_a_test_that_changes_its_mind_has_no_vote(server, tmp_path):
    marker = tmp_path / "ran"
    fickle = Script(
        "import pathlib, sys\n"
        "from calc import mean\n"
        f"marker = pathlib.Path({str(marker)!r})\n"
        "try:\n    mean([])\nexcept ZeroDivisionError:\n    sys.exit(2)\n"
        "if marker.exists():\n    sys.exit(2)\n"
        "marker.touch()\n"
    )
    async with opened(tmp_path, server.base_url) as bench:
        first, second, *_ = samples(bench)
        race = growing(bench, regression_files=0)
        await race.add_sample(Sample(1, Outcome.DONE, fickle, first.patch))
        await race.add_sample(second)
        matrix = await race.matrix()
    assert [test.flaky for test in matrix.tests] == [True, False]
