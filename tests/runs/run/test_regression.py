"""Regression votes and flaky tests in a whole run."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from data.predictions.predictions import Prediction
from runs.run.batch import Outside
from runs.show.instance import instance_report
from selection.candidates import TestKind
from selection.flaky import mark_flaky, repeated_cells
from selection.matrix import UNEDITED_ROW, Matrix, Verdict
from selection.regression.scripts import broken_tests
from tests.selection.matrices import ranked
from tests.support import scripted_model
from tests.support.model_server import ModelServer
from tests.support.views import view
from tests.support.world import World

pytestmark = pytest.mark.slow

OLD = """from calc import mean, median
from calc.text import shown


def test_two():
    assert mean([1, 3]) == 2


def test_middle():
    assert median([3, 1, 2]) == 2


def test_shown():
    assert shown(1) == "1.00"


def test_fails_in_this_environment():
    assert mean([1]) == "one"
"""
LINE = "    return sum(values) / len(values)\n"


def diff(new: str, more: str = "") -> str:
    """The line of `mean` replaced, and what else the patch says."""
    head = "--- a/calc/ops.py\n+++ b/calc/ops.py\n@@ -1,3 +1,3 @@\n def mean(values):\n"
    return f"{head}-{LINE}+{new}\n \n{more}"


RIGHT = "    return sum(values) / len(values) if values else 0.0"
BREAKS = "    return 0.0"
EMPTIED = "--- a/tests/test_ops.py\n+++ /dev/null\n@@ -1,19 +0,0 @@\n" + "".join(
    f"-{line}\n" for line in OLD.splitlines()
)


@pytest.fixture
def server():
    with ModelServer(scripted_model.answer) as running:
        yield running


@pytest.fixture
def world(tmp_path, server):
    made = World(tmp_path, server.base_url)
    made.sandbox.files |= {"tests/test_ops.py": OLD}
    return made


async def race(world: World, *patches: str, **settings: object):
    """Candidates from outside, with nothing but the repository's own tests unless asked for."""
    given = [Prediction("calc", f"system-{n}", patch) for n, patch in enumerate(patches, 1)]
    defaults = {
        "samples__strategy": "tests-only" if "samples__count" in settings else "none",
        "selection__selector": settings.get("selection__votes", "regression"),
        "selection__repeats": 0,
    }
    finished = await world.solve(job={"outside": Outside({"calc": given})}, **(defaults | settings))
    with world.reader() as reader:
        instance = reader.instance(finished.run, "calc")
        return instance, reader.story(instance).matrix, view(reader, "regression_files")


def broken(matrix: Matrix) -> dict[tuple[int, int], int]:
    """The cells that say how many tests broke."""
    return {place: c.broken for place, c in matrix.cells.items() if c.broken is not None}


def shown(world: World, instance) -> str:
    text = io.StringIO()
    with world.reader() as reader:
        Console(file=text, width=120).print(instance_report(reader.story(instance)))
    return text.getvalue()


async def test_what_breaks_an_old_test_is_not_chosen(world):
    """Both pass what the sample wrote of mean([]), and the shorter breaks what worked."""
    instance, matrix, files = await race(world, diff(BREAKS), diff(RIGHT), samples__count=1)
    (old,) = matrix.only(TestKind.REGRESSION).tests
    assert (old.label, old.number) == ("tests/test_ops.py", len(matrix.tests))
    said = {row: matrix.said(row, old) for row in (UNEDITED_ROW, 1, 2)}
    assert said == {UNEDITED_ROW: Verdict.PASS, 1: Verdict.FAIL, 2: Verdict.PASS}
    assert broken(matrix) == {(1, old.number): 1}
    assert instance.chosen == 2
    assert [(f["path"], f["passing"], f["test"]) for f in files] == [(old.label, 3, old.number)]
    report = shown(world, instance)
    assert f"{old.number}r is tests/test_ops.py: 3 tests pass before the edit" in report
    assert "✘1" in report
    for method in ("paper", "discriminating", "agreement", "codet", "shortest"):
        assert ranked(method, matrix).candidates[0].number == 1
    for method in ("regression", "regression-first"):
        assert ranked(method, matrix).candidates[0].number == 2
    with world.reader() as reader:
        rows = {row["candidate"]: row for row in view(reader, "candidates")}
        (vote,) = (v for v in view(reader, "votes", candidate=1, test=old.number))
        assert broken_tests(reader.text(vote["output"])) == vote["broken"] == 1
    assert [(rows[n]["regression_votes"], rows[n]["broken_tests"]) for n in (1, 2)] == [
        (0, 1),
        (1, 0),
    ]


async def test_the_selection_prompt_says_what_breaks(world, server):
    await race(world, diff(BREAKS), diff(RIGHT), samples__count=1, selection__selector="selection")
    prompts = [body["messages"][1]["content"] for body in server.requests]
    (prompt, *_) = (text for text in prompts if "# Your task: choose" in text)
    assert "| tests/test_ops.py | pass | pass | fail |" in prompt
    told = prompt.partition("### What breaks in tests/test_ops.py")[2].partition("### Script")[0]
    assert "Candidate B:" in told
    assert "Candidate A:" not in told
    assert "1 of 3 tests that passed before the edit do not pass" in told
    assert "tests/test_ops.py::test_two: assert 0.0 == 2" in told
    assert "class _Recorder" not in prompt


async def test_a_rule_without_repository_tests_ignores_them(world):
    instance, *_ = await race(world, diff(BREAKS), diff(RIGHT), selection__votes="discriminating")
    assert instance.chosen == 1


async def test_a_choice_that_breaks_old_tests_is_pointed_out(world):
    instance, *_ = await race(world, diff(BREAKS))
    assert "It breaks tests of the repository in tests/test_ops.py" in shown(world, instance)
    instance, *_ = await race(world, diff(RIGHT))
    assert "It breaks" not in shown(world, instance)


async def test_with_zero_regression_files_none_vote(world):
    _, matrix, files = await race(world, diff(RIGHT), selection__regression_files=0)
    assert (matrix.only(TestKind.REGRESSION).tests, files) == ((), [])


async def test_repository_tests_vote_as_they_were_before_the_edit(world):
    """A candidate that takes the old tests away is still held against them."""
    instance, matrix, _ = await race(world, diff(BREAKS, EMPTIED), diff(RIGHT))
    (old,) = matrix.only(TestKind.REGRESSION).tests
    assert broken(matrix) == {(1, old.number): 1}
    assert instance.chosen == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("from calc import mean\n", "no test in it passes before the edit"),
        ("def test_a():\n    assert 0\n", "no test in it passes before the edit, 1 fail"),
        ("import os\nos._exit(4)\n", "its tests could not be run (exit code 4)"),
        (
            "\n".join(f"def test_{'x' * 90}_{n}(): assert 0" for n in range(40)),
            "40 of its tests fail before the edit",
        ),
        ("def test_a():\n    return sum(range(10**7))\n" * 2, "it takes 1 s"),
    ],
)
async def test_a_file_that_cannot_vote_is_left_out_with_a_reason(world, text, reason):
    world.sandbox.files["tests/test_ops.py"] = text
    limit = {"selection__regression_seconds": 0.2} if "takes" in reason else {}
    instance, matrix, (file,) = await race(world, diff(RIGHT), diff(BREAKS), **limit)
    assert matrix.only(TestKind.REGRESSION).tests == ()
    assert file["test"] is None
    if "takes" in reason:
        assert file["reason"].startswith("it takes ")
    else:
        assert reason in file["reason"]
    assert f"no vote: tests/test_ops.py: {file['reason'][:20]}" in shown(world, instance)


async def test_a_file_whose_result_varies_is_left_out(world, tmp_path):
    """It passes when it is surveyed, and fails the next time."""
    world.sandbox.files["tests/test_ops.py"] = (
        "from pathlib import Path\n"
        "def test_a():\n"
        f"    seen = Path({str(tmp_path / 'seen')!r})\n"
        "    assert not seen.exists()\n"
        "    seen.touch()\n"
    )
    _, matrix, (file,) = await race(world, diff(RIGHT), diff(BREAKS))
    assert matrix.only(TestKind.REGRESSION).tests == ()
    assert "it is flaky" in file["reason"]


async def test_others_stand_in_for_files_that_cannot_vote(world):
    del world.sandbox.files["tests/test_ops.py"]
    for name in ("test_ops", "test_ops_more", "ops/test_all"):
        world.sandbox.files[f"tests/{name}.py"] = "from calc.ops import mean\n"
    world.sandbox.files["tests/test_far.py"] = f"from calc.ops import mean\n{OLD}"
    _, matrix, files = await race(world, diff(RIGHT), selection__regression_files=2)
    assert [test.label for test in matrix.only(TestKind.REGRESSION).tests] == ["tests/test_far.py"]
    assert len(files) == 4
    assert sorted(f["place"] for f in files) == [1, 2, 3, 4]


async def test_a_command_that_the_user_names_runs_the_tests(world):
    """Its exit code is the verdict on the whole file; here one that leaves a failing test out."""
    command = f"{sys.executable} -m pytest -q -p no:cacheprovider {{files}} -k 'not environment'"
    instance, matrix, (file,) = await race(
        world, diff(BREAKS), diff(RIGHT), selection__regression_command=command
    )
    assert (file["passing"], file["reason"]) == (None, "")
    assert broken(matrix) == {}
    assert instance.chosen == 2


async def test_a_finished_race_is_not_run_again(world):
    await race(world, diff(BREAKS), diff(RIGHT))
    executed = len(world.sandbox.executed)
    assert executed > 0
    await race(world, diff(BREAKS), diff(RIGHT))
    assert len(world.sandbox.executed) == executed


def flaky_server(place: str):
    """The scripted model, but test 1 says another thing each time on edited code."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom calc import mean\n"
        f"seen = Path({place!r})\n# variant 1\n"
        "try:\n    mean([])\nexcept ZeroDivisionError:\n    sys.exit(2)\n"
        "if not seen.exists():\n    seen.touch()\n    sys.exit(0)\n"
        "sys.exit(2)\n"
    )

    def answer(body):
        given = scripted_model.answer(body)
        if isinstance(given, list):
            given[0] = f"<test_script>\n{script}</test_script>"
        return given

    return answer


async def test_a_flaky_test_is_found_and_has_no_vote(tmp_path):
    with ModelServer(flaky_server(str(tmp_path / "seen"))) as server:
        world = World(tmp_path, server.base_url)
        world.sandbox.files |= {"tests/test_ops.py": OLD}
        instance, matrix, _ = await race(
            world, diff(RIGHT), diff(BREAKS), samples__count=2, selection__repeats=2
        )
        assert [test.number for test in matrix.tests if test.flaky] == [1]
        with world.reader() as reader:
            repeated = [row for row in view(reader, "executions") if row["repeat"]]
            again = view(reader, "trajectory_executions", purpose="repeat")
            flaky = [row["test"] for row in view(reader, "tests") if row["flaky"]]
        before = mark_flaky(matrix, set())
        cells = sum(len(repeated_cells(before, test)) for test in before.tests)
        assert cells > 2
        assert len(repeated) == len(again) == 2 * cells
        assert flaky == [1]
    report = shown(world, instance)
    assert "1~" in report
    assert "flaky" in report
