"""`troop runs`, and solving again after a try that did nothing, as people do it."""

from __future__ import annotations

import pytest

from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer, Raw
from tests.support.waiting import HANG_S, eventually

pytestmark = pytest.mark.slow
NO_SERVER = "http://127.0.0.1:9/v1"


@pytest.fixture
def troop(tmp_path):
    return Command(tmp_path)


@pytest.fixture
def repository(troop):
    return calc_repository(troop.folder)


@pytest.mark.parametrize("name", [[], ["--name", "mine"]])
def test_a_corrected_command_takes_the_place_of_one_that_did_nothing(troop, repository, name):
    code, _, errors = troop.run(*solve_words(repository, NO_SERVER, *name))
    assert code == 4, errors
    with ModelServer(scripted_model.answer) as server:
        words = solve_words(repository, server.base_url, *name, "--setup", "true")
        troop.finish(*words, "--set", "selection.finalists=2")
    with troop.reader() as reader:
        (run,) = reader.runs()
        assert run.solved == 1
        assert reader.story(reader.instance(run.name, None)).whole.environment.setup == "true"


def test_runs_are_listed_renamed_and_removed(troop, repository):
    with ModelServer(scripted_model.answer) as server:
        troop.finish(*solve_words(repository, server.base_url))
    (patch,) = (troop.folder / "data" / "troop" / "patches").rglob("*.patch")
    assert "calc-mock-1" in troop.finish("runs")
    assert troop.finish("runs", "list") == troop.finish("show")
    troop.finish("runs", "rename", "last", "best")
    assert not patch.exists()
    assert (patch.parent.with_name("best") / patch.name).exists()
    code, _, errors = troop.run("runs", "rm", "best")
    assert code == 2
    assert "Give --yes" in errors
    code, _, errors = troop.run("runs", "rm", "other", "--yes")
    assert code == 2
    assert "best" in errors
    troop.finish("runs", "rm", "last", "--dry-run")
    assert "best" in troop.finish("runs")
    code, _, errors = troop.run("runs", "rm", "best", "--yes")
    assert code == 0
    assert "best removed: 1 instance" in errors
    assert not list((troop.folder / "data" / "troop" / "patches").iterdir())
    with troop.reader() as reader:
        assert not reader.runs()


def test_a_run_under_way_is_not_removed(troop, repository):
    with ModelServer(lambda _: Raw(hang=True)) as server:
        process = troop.start(*solve_words(repository, server.base_url))
        eventually(lambda: server.requests)
        for words in (["rm", "calc-mock-1", "--yes"], ["rename", "calc-mock-1", "other"]):
            code, _, errors = troop.run("runs", *words)
            assert code == 5
            assert "another process" in errors
        process.kill()
        process.communicate(timeout=HANG_S)
