"""`troop export`: files of every format, as the command writes them."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest
import yaml

from data.errors import UsageError
from data.instances.grading import GradingSpec
from data.predictions.forms import write_multi_swe, write_pro
from data.predictions.predictions import read_predictions
from runs.cli.main import main
from runs.grading.nouns import Grade, GradeOutcome, GradingTask
from runs.grading.stored import save_grade
from runs.leaderboard.logs import stored_logs
from runs.leaderboard.readme import Result, readme
from runs.leaderboard.submission import About, Submission
from runs.store.store import Store
from tests.data.patches.test_repairs import GOOD
from tests.support.world import instance


def test_pro_has_the_three_fields_of_its_evaluation_script(tmp_path):
    write_pro(tmp_path / "p.json", "org/model: x", {"a": GOOD.rstrip("\n"), "b": ""})
    assert json.loads((tmp_path / "p.json").read_text()) == [
        {"instance_id": "a", "patch": GOOD, "prefix": "org_model_x"},
        {"instance_id": "b", "patch": "", "prefix": "org_model_x"},
    ]


def test_multi_swe_names_pull_requests(tmp_path):
    repos = {"o__r-x-12": "o/r-x", "calc": "calc"}
    file = tmp_path / "m.jsonl"
    assert write_multi_swe(file, repos, {"o__r-x-12": GOOD, "calc": GOOD}) == ["calc"]
    (line,) = file.read_text().splitlines()
    assert json.loads(line) == {"org": "o", "repo": "r-x", "number": 12, "fix_patch": GOOD}
    with pytest.raises(UsageError, match="Multi-SWE-bench"):
        write_multi_swe(tmp_path / "n.jsonl", repos, {"calc": GOOD})
    assert not (tmp_path / "n.jsonl").exists()


def test_all_formats_at_once(exported, tmp_path, capsys):
    out, logs = tmp_path / "out", tmp_path / "logs" / "run" / "model"
    (logs / "calc").mkdir(parents=True)
    patch = exported.story("priced").patch
    report = {"calc": {"resolved": True, "patch_successfully_applied": True}}
    for name, text in {
        "patch.diff": patch,
        "test_output.txt": "ok",
        "report.json": json.dumps(report),
        "image_build_dir": "",
    }.items():
        (logs / "calc" / name).write_text(text)
    words = ["export", "priced", "--db", exported.world.url, "-o", str(out), "--date", "20261130"]
    about = ["--system-name", "Troop + mock", "--split", "lite", "--open-model", "no"]
    forms = ["--format", "preds,pro,mini,atif,leaderboard", "--logs", str(logs.parent)]
    assert main([*words, *about, *forms]) == 0
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    place = "evaluation/lite/20261130_troop-mock"
    assert files >= {"preds.json", "all_preds.jsonl", "pro.json", "atif/calc.json"}
    assert files >= {"mini/preds.json", "mini/exit_statuses.yaml", "mini/calc/calc.traj.json"}
    assert {f for f in files if f.startswith("evaluation")} == {
        *(f"{place}/{name}" for name in ("all_preds.jsonl", "README.md", "metadata.yaml")),
        f"{place}/trajs/calc.md",
        *(f"{place}/logs/calc/{n}" for n in ("patch.diff", "test_output.txt", "report.json")),
    }
    told = yaml.safe_load((out / place / "metadata.yaml").read_text())
    assert told["info"]["name"] == "Troop + mock"
    assert told["tags"] == {
        "model": ["mock"],
        "org": "TODO: --org",
        "os_model": False,
        "os_system": True,
        "checked": False,
        "system": {"attempts": "2+"},
    }
    readme = (out / place / "README.md").read_text()
    assert "Resolved: 1 of 1 (100.0%)" in readme
    assert "It draws 4 samples of each instance." in readme
    assert "in " + str(out / "atif") in capsys.readouterr().err.replace("\n", "")
    (prediction,) = read_predictions(out / place / "all_preds.jsonl")["calc"]
    assert prediction.model_patch == patch


def test_stored_grades_are_the_logs_of_a_submission(exported, tmp_path):
    patch = exported.story("priced").patch
    spec = GradingSpec(instance(), ("a",), (), "", "", "", "pytest", "", "", {})
    task = GradingTask.of(spec, patch)
    said = json.dumps({"calc": {"resolved": False, "patch_successfully_applied": True}})
    grade = Grade(task, GradeOutcome.UNRESOLVED, report=said, log="1 failed")
    with Store(exported.world.url) as store:
        asyncio.run(save_grade(store, grade, ("harness", "5.0"), 60.0))
        asyncio.run(save_grade(store, grade, ("sandbox", "1"), 60.0))
    with exported.world.reader() as reader:
        logs = stored_logs(reader, "priced", {"calc": patch})
        cleaned = stored_logs(reader, "priced", {"calc": patch + "+more\n"})
    assert logs("calc") == {
        "patch.diff": patch.encode(),
        "test_output.txt": b"1 failed",
        "report.json": said.encode(),
    }
    assert cleaned("calc") == {}  # what was graded is another patch


def test_one_attempt_says_so(exported, tmp_path):
    words = ["export", "unpriced", "--db", exported.world.url, "-o", str(tmp_path)]
    assert main([*words, "--format", "leaderboard", "--split", "verified"]) == 0
    (place,) = (tmp_path / "evaluation" / "verified").iterdir()
    told = yaml.safe_load((place / "metadata.yaml").read_text())
    assert told["tags"]["system"]["attempts"] == "1"
    assert "pass@1" in (place / "README.md").read_text()


def test_with_other_systems_patches_a_person_fills_in_the_claims(exported):
    config = {"samples.strategy": "tests-only"}
    with exported.world.reader() as reader:
        run = dataclasses.replace(
            reader.run("priced"), samples=3, config=config, sandbox="docker", model="m"
        )
    alone = Submission(run, About(), ("theirs",))
    assert alone.single
    text = readme(Submission(run, About(), ("theirs", "others")), Result())
    assert "Each writes a test script from the issue alone, and revises it" in text
    assert "take part in the vote: theirs, others." in text
    assert text.count("- [ ] TODO: say whether this holds for the other systems") == 3


def test_an_instance_that_never_ended_has_a_trajectory_and_no_prediction(exported, tmp_path):
    words = ["export", "cancelled", "calc", "--db", exported.world.url, "-o", str(tmp_path)]
    assert main([*words, "--format", "preds,mini,atif,leaderboard", "--split", "lite"]) == 1
    assert json.loads((tmp_path / "preds.json").read_text()) == {}
    assert (tmp_path / "mini" / "calc" / "calc.traj.json").exists()
    assert (tmp_path / "atif" / "calc.json").exists()
    assert not list(tmp_path.glob("evaluation/lite/*/trajs/*"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--format", "csv"], "There is no format 'csv'"),
        (["--format", "leaderboard"], "is not known for tiny.jsonl"),
        (["--format", "leaderboard", "--split", "hard"], "is not a leaderboard: hard"),
        (["--format", "leaderboard", "--split", "lite", "--date", "20261331"], "is not a date"),
        (["--logs", "."], "has no logs"),
        (["--instance", "other"], "There is no instance in run priced called other."),
    ],
)
def test_a_format_that_cannot_be_written_is_reported_before_any_is(
    exported, tmp_path, capsys, monkeypatch, more, said
):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    words = ["export", "priced", "--db", exported.world.url, "-o", str(tmp_path / "out")]
    assert main([*words, *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
