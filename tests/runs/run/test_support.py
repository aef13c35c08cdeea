"""What the tests say of a patch, through a whole run: stored, shown, and in the exit code."""

from __future__ import annotations

import pytest

from data.predictions.predictions import Prediction
from runs.run.batch import Outside
from tests.runs.run.test_regression import RIGHT, diff
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer
from tests.support.views import view
from tests.support.world import World

pytestmark = pytest.mark.slow

ERRS = "<test_script>\nfrom calc import mean\n\nassert mean([]) == 0\n</test_script>"
"""Before the edit it has no verdict, because the exception is not caught; then it passes."""


def only_errors(body: dict) -> str | list[str]:
    """A model whose tests cannot tell the issue from anything else that breaks."""
    messages = [message["content"] for message in body["messages"]]
    if "# Your task: write a test script" not in messages[1]:
        return scripted_model.answer(body)
    return [ERRS] * (body.get("n") or 1) if len(messages) == 2 else "<done/>"


@pytest.fixture
def erring():
    with ModelServer(only_errors) as running:
        yield running


async def test_tests_without_a_verdict_support_nothing(tmp_path, erring):
    world = World(tmp_path, erring.base_url)
    finished = await world.solve(samples__count=1)
    with world.reader() as reader:
        one = reader.instance(finished.run, None)
        run = reader.run(finished.run)
        evidence = reader.story(one).evidence
        (of_run,), (of_instance,) = view(reader, "runs"), view(reader, "instances")
    assert (one.status, one.support) == ("patched", "unsupported")
    assert (run.patched, run.supported, run.weighed) == (1, 0, 1)
    assert (evidence.generated, evidence.failing) == (1, 0)
    assert (of_run["patched"], of_run["solved"], of_run["supported"]) == (1, 1, 0)
    assert of_instance["support"] == "unsupported"


def test_a_patch_that_no_test_supports_is_not_a_success(tmp_path, erring):
    troop, repository = Command(tmp_path), calc_repository(tmp_path)
    words = solve_words(repository, erring.base_url, "--samples", "1")
    for _ in range(2):  # solved, then shown as it is stored
        code, output, errors = troop.run(*words, "--patch-only")
        assert code == 6, errors
        assert "no test supports it" in errors
        assert "none can show that the issue is fixed" in " ".join(errors.split())
        assert "if ordered" in output


async def test_where_no_test_was_asked_for_nothing_is_missed(tmp_path):
    world = World(tmp_path, "http://127.0.0.1:9/v1")
    given = [Prediction("calc", "system-1", diff(RIGHT))]
    finished = await world.solve(
        job={"outside": Outside({"calc": given})},
        samples__strategy="none",
        selection__selector="regression",
    )
    with world.reader() as reader:
        one = reader.instance(finished.run, None)
        assert one.support == "untested"
        assert not one.support.doubtful


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"package.json": '{"devDependencies": {"tap": "18"}}', "test/ops.test.js": "mean()\n"},
            "because no runner was recognised",
        ),
        ({"tests/check_ops.c": "mean();\n"}, "If there are tests, name the command"),
    ],
)
async def test_a_run_says_that_the_repositorys_own_tests_have_no_vote(tmp_path, files, said):
    world = World(tmp_path, "http://127.0.0.1:9/v1")
    del world.sandbox.files["tests/test_ops.py"]
    world.sandbox.files |= files
    given = [Prediction("calc", "system-1", diff(RIGHT))]
    job = {"outside": Outside({"calc": given})}
    settings = {"samples__strategy": "none", "selection__selector": "regression"}
    await world.solve(job=job, **settings)
    told = " ".join(world.printed.getvalue().split())
    assert said in told
    assert "selection.regression_command=" in told
    # With the command that is named there, the file votes.
    command = {"selection__regression_command": "test -f {files}"}
    finished = await world.solve(job=job, **settings, **command)
    with world.reader() as reader:
        (file,) = reader.story(reader.instance(finished.run, None)).regression_files
    assert (file.path, file.reason) == (next(name for name in files if "test" in name), "")
