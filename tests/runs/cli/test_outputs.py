"""Every flag that names a place to write, given places that cannot be written."""

from __future__ import annotations

import json

import pytest

from tests.data.patches.test_repairs import GOOD
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer

ROW = {"instance_id": "a__b-1", "repo": "a/b", "base_commit": "x", "problem_statement": "y"}
COMMANDS = {
    "solve": ("-o", "solve --repo calc --issue issue.md --model m"),
    "export": ("-o", "export run"),
    "export --recording": ("--recording", "export run"),
    "select": ("--write", "select run --method paper"),
    "grade": ("--write", "grade --predictions p.jsonl --dataset rows.jsonl"),
    "check-predictions": ("--write", "check-predictions p.jsonl"),
    "data check": ("--write-exclude", "data check --dataset rows.jsonl --preflight"),
}


@pytest.fixture(scope="module")
def troop(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A folder with a run, predictions and a dataset."""
    command = Command(tmp_path_factory.mktemp("outputs"))
    with ModelServer(scripted_model.answer) as server:
        repository = calc_repository(command.folder)
        command.finish(*solve_words(repository, server.base_url, "--name", "run"))
    (command.folder / "rows.jsonl").write_text(json.dumps(ROW) + "\n")
    row = {"instance_id": "a__b-1", "model_name_or_path": "m", "model_patch": GOOD}
    (command.folder / "p.jsonl").write_text(json.dumps(row) + "\n")
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_that_cannot_be_written_is_reported_before_the_work(
    troop: Command, name: str
) -> None:
    flag, words = COMMANDS[name]
    for place in ("/proc/deep/x", "issue.md/x"):
        code, output, errors = troop.run(*words.split(), flag, place)
        assert (code, output) == (5, "")
        assert errors.splitlines()[-2].startswith(f"troop: {place} cannot be written: ")


@pytest.mark.parametrize("name", ["grade", "check-predictions", "data check"])
def test_a_file_that_is_read_is_not_written_to(troop: Command, name: str) -> None:
    flag, words = COMMANDS[name]
    read = next(word for word in words.split() if word.endswith(".jsonl"))
    before = (troop.folder / read).read_bytes()
    code, output, errors = troop.run(*words.split(), flag, f"./{read}")
    assert (code, output) == (2, "")
    assert "which this command reads" in errors
    assert (troop.folder / read).read_bytes() == before


@pytest.mark.parametrize("name", ["export --recording", "select", "check-predictions"])
def test_folders_are_made_and_devices_written_into(troop: Command, name: str) -> None:
    flag, words = COMMANDS[name]
    troop.finish(*words.split(), flag, "made/for/it")
    written = (troop.folder / "made" / "for" / "it").read_text()
    assert written in troop.finish(*words.split(), flag, "/dev/stdout")
    code, _, errors = troop.run(*words.split(), flag, "/dev/full")
    assert code == 5
    assert "/dev/full cannot be written: No space left on device." in errors
