"""`troop grade` and the preflight as people call them; a program stands in for the harness."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from runs.cli.main import main
from runs.store.reading import Reader
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.docker import require_docker
from tests.support.fake_harness import fake_harness, patch
from tests.support.graded import row, write_rows
from tests.support.model_server import ModelServer
from tests.support.views import view
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker


class Graded(Command):
    """`troop` with a harness that is a program, and a dataset of two rows."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.harness = str(fake_harness(folder / "fake"))
        second = row(instance_id="tiny__calc-2", patch=patch("unresolved"))
        self.dataset = write_rows(folder, row(patch=patch("resolved")), second)

    def predictions(self, *rows: tuple[str, str, str]) -> str:
        file = self.folder / "predictions.jsonl"
        names = ("instance_id", "model_name_or_path", "model_patch")
        lines = (json.dumps(dict(zip(names, each, strict=True))) for each in rows)
        file.write_text("\n".join(lines) + "\n")
        return str(file)

    def words(self, *rows: tuple[str, str, str]) -> list[str]:
        words = ["grade", "--predictions", self.predictions(*rows), "--dataset", self.dataset]
        return [*words, "--harness-python", self.harness]


@pytest.fixture
def troop(tmp_path: Path) -> Graded:
    require_docker()
    return Graded(tmp_path)


ROWS = (
    ("tiny__calc-1", "a", patch("resolved")),
    ("tiny__calc-1", "b", patch("unresolved")),
    ("tiny__calc-2", "a", patch("refused")),
    ("tiny__calc-2", "b", ""),
)


def test_predictions_from_outside(troop: Graded) -> None:
    graded = troop.folder / "graded.jsonl"
    code, output, errors = troop.run(*troop.words(*ROWS), "--write", str(graded))
    assert code == 0, output + errors
    assert "a: 1 of 2 instances resolved" in output
    assert "b: 0 of 2 instances resolved" in output
    assert "coverage: 1 of 2 instances" in output
    assert "apply failed" in output
    assert "3/3" in errors
    lines = [json.loads(line) for line in graded.read_text().splitlines()]
    assert [line["resolved"] for line in lines] == [True, False, False, False]
    assert lines[0] == {
        **dict(zip(("instance_id", "model_name_or_path", "model_patch"), ROWS[0], strict=True)),
        "resolved": True,
        "grader": "harness",
        "judge": "harness",
    }
    assert not (troop.folder / "logs").exists()  # nothing in the user's folder
    code, output, errors = troop.run(*troop.words(*ROWS), "--json")
    assert errors == "To be graded: 0, 4 have a verdict\n"
    found = json.loads(output)
    assert (found["grader"], found["judge"]) == ("harness", "harness")
    assert found["figures"]["resolved"]["a"] == {"resolved": 1, "of": 2}
    assert found["figures"]["pass_at"] == {"1": 0.25, "2": 0.5}
    assert [each["outcome"] for each in found["patches"]][2:] == ["apply_failed", "no_patch"]


def test_what_has_no_verdict_gives_exit_code_1(troop: Graded) -> None:
    rows = (("tiny__calc-1", "a", patch("infra")), ("tiny__calc-9", "a", patch("resolved")))
    code, output, errors = troop.run(*troop.words(*rows))
    assert code == 1
    assert "out of memory" in output
    assert "tiny__calc-9: cannot be graded" in errors
    assert "Left out, because some of their patches have no grade" in output


def test_bad_input_gives_exit_code_2(troop: Graded, capsys: pytest.CaptureFixture[str]) -> None:
    words = troop.words(*ROWS)
    for wrong, said in (
        (["grade", "--harness-python", troop.harness], "Name a run"),
        (words[:3] + words[5:], "Give --dataset"),
        ([*words, "tiny__calc-7"], "prediction for tiny__calc-7"),
        ([*words, "--parallel", "0"], "--parallel"),
        ([*words[:-1], "/no/such/python"], "/no/such/python"),
        (["grade", "last", "--harness-python", troop.harness], "There is no database"),
    ):
        code = main([*wrong, "--db", str(troop.folder / "none.db")])
        errors = capsys.readouterr().err
        assert code == (5 if said == "There is no database" else 2), errors
        assert said in errors


def test_a_stopped_grading_continues(troop: Graded) -> None:
    rows = (ROWS[0], ("tiny__calc-2", "a", patch("slow")))
    process = troop.start(*troop.words(*rows))
    waiting = troop.folder / "fake" / "slow"
    eventually(lambda: waiting.exists() and waiting.read_text())
    time.sleep(1.5)  # the first one's report is looked for twice a second
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "continues where it stopped" in errors
    with pytest.raises(ProcessLookupError):
        os.kill(int(waiting.read_text()), 0)
    rows = (ROWS[0], ("tiny__calc-2", "a", patch("resolved")))
    _, output, errors = troop.run(*troop.words(*rows))
    assert "1/1  tiny__calc-2: resolved" in errors
    assert "a: 2 of 2 instances resolved" in output


def test_the_preflight_writes_an_exclusion_list(troop: Graded) -> None:
    unfit = troop.folder / "unfit.txt"
    words = ["data", "check", "--dataset", troop.dataset, "--preflight"]
    code, output, errors = troop.run(
        *words, "--harness-python", troop.harness, "--write-exclude", str(unfit)
    )
    assert code == 1, errors
    assert "1 of 2 instances are fit" in output
    lines = unfit.read_text().splitlines()
    assert lines[0].startswith("#")
    assert lines[1].startswith("tiny__calc-2  # the gold patch is not resolved")
    code, output, _ = troop.run(*words, "--harness-python", troop.harness, "--json")
    found = json.loads(output)
    assert (code, found["grader"], found["judge"]) == (1, "harness", "harness")
    assert [each["fit"] for each in found["instances"]] == [True, False]
    left = troop.finish(
        "data", "check", "--dataset", troop.dataset, "--exclude", str(unfit), "--json"
    )
    assert json.loads(left)["instances"] == 1


def test_a_run_is_graded_and_select_knows(troop: Graded) -> None:
    repository = calc_repository(troop.folder)
    with ModelServer(scripted_model.answer) as server:
        troop.finish(*solve_words(repository, server.base_url, "--name", "first"))
    with Reader(troop.database) as reader:
        (instance,) = view(reader, "instances", run="first")
        name = instance["instance_id"]
        diffs = [reader.text(each["diff"]) for each in view(reader, "candidates", run="first")]
    troop.dataset = write_rows(troop.folder, row(instance_id=name))
    words = ["grade", "last", "--all-candidates", "--harness-python", troop.harness]
    code, _, errors = troop.run(*words)
    assert code == 2
    assert "--dataset" in errors  # the run's own is a repository
    code, output, errors = troop.run(*words, "--dataset", troop.dataset)
    assert code == 0, output + errors
    assert f"{len(diffs)}/{len(diffs)}" in errors
    assert "(chosen)" in output
    code, output, errors = troop.run("select", "first")
    assert "Grades: those that `troop grade` has stored" in errors
    assert "oracle" in output
    asked = troop.finish("sql", "--format", "json", "SELECT * FROM resolved")
    shown = json.loads(asked)
    assert (shown["run"], shown["judge"]) == ("first", "harness")
    assert (shown["instances"], shown["chosen_graded"], shown["candidates"]) == (1, 1, len(diffs))
    assert shown["candidates_graded"] == len(diffs)
    asked = troop.finish("sql", "--format", "json", "SELECT * FROM grades WHERE run = 'first'")
    assert len(asked.splitlines()) == len(diffs)
