"""`troop select --method selection` on runs whose instances and scripts are not the usual ones."""

from __future__ import annotations

import json

import pytest

from tests.support import goldens, scripted_model, tally
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.slow


def test_select_works_on_a_run_with_a_setup_and_a_folder_of_its_own(tmp_path):
    troop = Command(tmp_path)
    repository = calc_repository(tmp_path)
    own = ["--setup", "true", "--repo-dir", "/srv/calc", "--language", "python"]
    with ModelServer(scripted_model.answer) as server:
        words = solve_words(repository, server.base_url, *own, "--name", "own")
        troop.finish(*words, "--set", "selection.selector=regression")
        asked = len(server.requests)
        anew = ["--method", "selection", "--json", "--base-url", server.base_url]
        found = json.loads(troop.finish("select", "own", *anew))
        test, _ = server.requests[asked:]  # then the choice
    assert "/srv/calc" in test["messages"][1]["content"]
    assert (
        found["instances"][0]["methods"]["selection"]["reason"]
        == "a model chose it from 2 candidates"
    )


def test_what_tests_break_that_a_command_runs_is_in_the_prompt(tmp_path):
    """Version 0.1.0 stored the run; there, such a script came back as one in Python."""
    goldens.lay_inputs(tmp_path)
    troop = goldens.unpack("command", tmp_path)
    with ModelServer(tally.answer) as server:
        words = ["--method", "selection", "--json", "--base-url", server.base_url]
        troop.finish("select", "command", *words)
        (opening, *_) = (body["messages"][1]["content"] for body in server.requests)
    broken = opening.partition("### What breaks in ")[2].partition("\n### ")[0]
    assert broken.startswith("tests/")
    assert "exit code 1" in broken
