"""Errors that nobody foresaw end one sample or one candidate, are kept, and never end the run."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from agent import editing
from data.errors import SandboxError, UsageError
from runs.show.instance import instance_report
from runs.show.trajectory import trajectory_report
from runs.store.registry import Status
from selection import race
from selection.regression import survey
from tests.support import scripted_model
from tests.support.model_server import ModelServer
from tests.support.views import view
from tests.support.world import World

if TYPE_CHECKING:
    from rich.console import RenderableType

pytestmark = pytest.mark.slow

WRONG = "(len(values) or 1)"
"""Only the edit of sample 3 has it."""


@pytest.fixture
def server():
    with ModelServer(scripted_model.answer) as running:
        yield running


@pytest.fixture
def world(tmp_path, server):
    return World(tmp_path, server.base_url)


def breaking(monkeypatch, module, name, sign, error=None):
    """Let a function raise for an argument that has `sign`."""
    whole = getattr(module, name)

    def odd(*arguments):
        if any(sign in str(argument) for argument in arguments):
            raise error or ValueError("4,300 digits")
        return whole(*arguments)

    monkeypatch.setattr(module, name, odd)


def page(shown: RenderableType) -> str:
    text = StringIO()
    Console(file=text, width=160).print(shown)
    return text.getvalue()


@pytest.mark.parametrize("error", [ValueError("odd"), RecursionError(), MemoryError(), KeyError(1)])
async def test_an_error_in_a_trajectory_ends_its_sample(world, monkeypatch, error):
    breaking(monkeypatch, editing, "parse_edits", WRONG, error)
    finished = await world.solve()
    assert finished.tally.status is Status.FINISHED
    with world.reader() as reader:
        story = reader.story(reader.instance(finished.run, "calc"))
        assert story.instance.status is Status.PATCHED
        assert [sample.outcome for sample in story.samples] == ["done", "done", "failed", "no_edit"]
        (kept,) = [t for t in view(reader, "trajectories", run=finished.run) if t["error"]]
        assert (kept["trajectory"], kept["outcome"]) == ("sample-3/editing", "failed")
        assert type(error).__name__ in kept["error"]
        assert "Traceback" in kept["error"]
        assert "an unexpected error ended it" in page(instance_report(story))
        talk = trajectory_report(story.conversation("sample-3/editing"), full=False)
        assert "Traceback" in page(talk)
    assert "An unexpected error ended sample-3/editing" in world.printed.getvalue()


async def test_it_is_not_run_into_again_and_again(world, monkeypatch, server):
    breaking(monkeypatch, editing, "parse_edits", WRONG)
    await world.solve()
    asked = len(server.requests)
    await world.solve()
    assert len(server.requests) == asked


@pytest.mark.parametrize("function", ["meaning", "flags_of", "litter_of", "_without_tests"])
async def test_an_error_about_a_candidate_excludes_it(world, monkeypatch, function):
    breaking(monkeypatch, race, function, WRONG)
    finished = await world.solve()
    assert finished.tally.status is Status.FINISHED
    with world.reader() as reader:
        story = reader.story(reader.instance(finished.run, "calc"))
        assert story.instance.status is Status.PATCHED
        assert [s.number for s in story.samples if s.candidate] == [1, 2]
        (left_out,) = [s for s in story.samples if s.error]
        assert left_out.number == 3
        assert "ValueError: 4,300 digits" in left_out.error
        assert "ValueError: 4,300 digits" in page(instance_report(story))
    said = "The candidate of sample 3 is left out: ValueError: 4,300 digits"
    assert said in world.printed.getvalue()


async def test_a_patch_that_no_sandbox_lays_is_no_candidate(world, monkeypatch):
    whole = world.sandbox.execute

    async def execute(script, patch, limits):
        if WRONG in patch.diff:
            raise UsageError("calc/ops.py lies behind a symbolic link.")
        return await whole(script, patch, limits)

    monkeypatch.setattr(world.sandbox, "execute", execute)
    finished = await world.solve()
    assert finished.tally.status is Status.FINISHED
    with world.reader() as reader:
        story = reader.story(reader.instance(finished.run, "calc"))
        assert [s.number for s in story.samples if s.candidate] == [1, 2]


async def test_an_error_about_a_test_file_takes_its_vote(world, monkeypatch):
    breaking(monkeypatch, survey, "runner_of", "tests/test_ops.py")
    finished = await world.solve()
    assert finished.tally.status is Status.FINISHED
    with world.reader() as reader:
        story = reader.story(reader.instance(finished.run, "calc"))
        reasons = {file.path: file.reason for file in story.regression_files}
        assert reasons["tests/test_ops.py"] == "an unexpected error: ValueError: 4,300 digits"


async def test_nothing_but_errors_is_no_result(world, monkeypatch):
    with monkeypatch.context() as patched:
        breaking(patched, editing, "parse_edits", "")
        failed = await world.solve()
    assert failed.tally.status is Status.FAILED
    (error,) = failed.tally.errors.values()
    assert "unexpected errors ended 4 samples" in error.message
    finished = await world.solve()  # with the corrected version
    assert finished.run == failed.run
    assert finished.tally.status is Status.FINISHED


async def test_failures_that_are_known_end_what_they_always_ended(world, monkeypatch):
    breaking(monkeypatch, editing, "parse_edits", WRONG, SandboxError("The engine is gone."))
    failed = await world.solve()
    assert failed.tally.status is Status.FAILED
