"""`troop ensemble`: several systems' patches, tests from here or from stored runs, and figures."""

from __future__ import annotations

import asyncio
import json

import pytest

from data.patches.applying import diff_files
from runs.cli.main import main
from runs.store.reading import Reader
from tests.support import scripted_model
from tests.support.model_server import ModelServer
from tests.support.scripted_model import FILES, ISSUE, STRONG, WEAK
from tests.support.views import view
from tests.support.world import World

pytestmark = pytest.mark.slow

BASE = FILES["calc/ops.py"]
GUARDED = BASE.replace("/ len(values)", "/ len(values) if values else 0.0")
RIGHT = GUARDED.replace("// 2]", "// 2] if ordered else 0.0")
WRONG = BASE.replace("/ len(values)", "/ (len(values) or 1)")
"""As short as wrong: median is left as it is."""
WORSE = BASE.replace("sum(values) /", "sum(values) //")


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path, "")
    world.sandbox.kind = "local"  # what is stored must be a kind that there is

    async def provider(kind, images=None):
        return world.sandbox

    monkeypatch.setattr("sandbox.kinds.choose.choose_provider", provider)
    monkeypatch.setenv("TROOP_DB", str(tmp_path / "troop.db"))
    monkeypatch.chdir(tmp_path)
    rows = [instance_row("calc"), instance_row("calc-2"), instance_row("calc-3")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    predictions(world, tmp_path / "one.jsonl", "one", {"calc": RIGHT, "calc-2": WRONG})
    predictions(world, tmp_path / "two.jsonl", "two", {"calc": WRONG, "calc-2": WRONG})
    predictions(world, tmp_path / "three.jsonl", "three", {"calc": WORSE, "elsewhere": WRONG})
    return world


def instance_row(name):
    row = {"instance_id": name, "repo": "calc", "base_commit": "0" * 40, "image": "tiny"}
    return row | {"problem_statement": ISSUE}


def diff_of(world, text):
    codebase = asyncio.run(world.sandbox.read_codebase())
    return diff_files({"calc/ops.py": text.encode()}, codebase).diff


def predictions(world, file, name, texts):
    rows = [
        {"instance_id": i, "model_name_or_path": name, "model_patch": diff_of(world, text)}
        for i, text in texts.items()
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def grades(world, file, *verdicts):
    rows = [
        {"instance_id": name, "model_patch": diff_of(world, text), "resolved": resolved}
        for name, text, resolved in verdicts
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


FILES_GIVEN = ["--candidates", "one.jsonl", "two.jsonl", "three.jsonl"]


@pytest.fixture
def ensemble(world, capsys):
    def run(*words):
        code = main(["ensemble", "rows.jsonl", *FILES_GIVEN, *words])
        return code, *capsys.readouterr()

    return run


def all_grades(world):
    return grades(
        world,
        world.folder / "grades.jsonl",
        ("calc", RIGHT, True),
        ("calc", WRONG, False),
        ("calc", WORSE, False),
        ("calc-2", WRONG, False),
    )


def test_fresh_tests_choose_the_right_one_of_other_systems(world, ensemble):
    with ModelServer(scripted_model.answer) as server:
        words = ["--model", "mock", "--base-url", server.base_url, "--tests", "4", "--name", "e"]
        code, _output, errors = ensemble(*words)
        asked = len(server.requests)
        assert code == 0, errors
        assert ensemble(*words)[0] == 0
        assert len(server.requests) == asked  # resumed: nothing is left to do
    assert "Left out, because nobody has a candidate: calc-3." in errors
    assert "Candidates of other instances are ignored: elsewhere." in errors
    with world.reader() as reader:
        row = reader.instance("e", "calc")
        assert row.reason == "selection"
        assert "if ordered else 0.0" in reader.text(row.patch)
        sources = {
            r["candidate"]: r["sources"] for r in view(reader, "candidates", **where("calc"))
        }
        assert sources == {1: "one", 2: "two", 3: "three"}
        assert all(r["samples"] for r in view(reader, "tests", **where("calc")))
        assert not {r["kind"] for r in view(reader, "trajectories", run="e")} & {"editing"}
        only = reader.instance("e", "calc-2")
        assert (only.reason, only.chosen) == ("only_candidate", 1)


def where(name):
    return {"run": "e", "instance_id": name}


def test_without_model_and_tests_the_number_of_writers_decides(world, ensemble):
    code, output, errors = ensemble("--no-model", "--name", "e", "--grades", all_grades(world))
    assert code == 0
    assert "No tests are given" in errors
    with world.reader() as reader:
        assert {r["kind"] for r in view(reader, "tests", run="e")} <= {"regression"}
        assert not view(reader, "turns", run="e")
    lines = {
        line.split("  ")[0]: line.split()[-4:] for line in reversed(output.splitlines()) if line
    }
    assert "resolved of 2" in output
    assert lines["system one"] == ["1", "50.0%", "100%", "2"]
    assert lines["system three"] == ["0", "0.0%", "-50%", "1"]  # it has no patch for calc-2
    assert lines["best system, known in hindsight: one"] == lines["system one"]
    assert lines["random pick, expected"][-3:] == ["0.33", "16.7%", "0%"]
    assert lines["oracle"][-3:] == ["1", "50.0%", "100%"]


def test_a_model_is_asked_later_about_a_run_that_asked_none(world, ensemble, capsys):
    """Nobody has read files yet: that is done first, and once; one candidate needs no question."""
    assert ensemble("--no-model", "--name", "e")[0] == 0
    words = ["select", "e", "--method", "model,selection", "--model", "mock", "--json"]
    assert main(["select", "e", "--method", "model"]) == 2
    assert "No model is named." in capsys.readouterr().err
    with ModelServer(scripted_model.answer) as server:
        code = main([*words, "--base-url", server.base_url])
        output, errors = capsys.readouterr()
        assert code == 0, errors
        openings = [body["messages"][1]["content"] for body in server.requests]
    tasks = [text.partition("# Your task: ")[2].split("\n")[0] for text in openings]
    assert sorted(filter(None, tasks)) == [*["choose the best edit"] * 3, "rank these files"]
    said = {i["instance_id"]: i["methods"] for i in json.loads(output)["instances"]}
    assert [said["calc"][method]["ranking"][0] for method in ("model", "selection")] == [1, 1]
    assert said["calc-2"]["model"]["reason"] == "it is the only candidate"
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["instances"] == json.loads(output)["instances"]


def test_a_stored_runs_tests_vote_without_a_model(world, ensemble):
    """Tests come from another run, whose samples wrote tests only; in another database, too."""
    with ModelServer(scripted_model.answer) as server:
        stored = ["--model", "mock", "--base-url", server.base_url, "--tests", "4", "--name", "t"]
        assert ensemble(*stored, "--set", "selection.turns=0", "--instances", "calc")[0] == 0
    other = str(world.folder / "other.db")
    words = ["--tests-from", "t", "--tests-db", str(world.folder / "troop.db"), "--db", other]
    code, _output, errors = ensemble(*words, "--name", "e", "--grades", all_grades(world))
    assert code == 0, errors
    assert "Without stored tests: calc-2." in errors
    with Reader(f"sqlite:///{other}") as reader:
        tests = view(reader, "tests", **where("calc"))
        assert {t["sources"] for t in tests} == {"t"}
        assert {t["samples"] for t in tests} == {""}
        assert {WEAK.format(variant=1), STRONG.format(variant=4)} <= {
            reader.text(t["script"]) for t in tests
        }
        row = reader.instance("e", "calc")
        assert (row.reason, row.chosen) == ("vote", 1)
        assert not view(reader, "turns", run="e")
        assert reader.run("e").model == "none"
    assert main(["show", "e", "calc", "--db", other]) == 0
    assert main(["select", "e", "--db", other]) == 0
    assert main(["export", "e", "--db", other, "-o", str(world.folder / "out")]) == 0


def test_an_unknown_run_for_tests_from_is_reported(ensemble):
    assert ensemble("--no-model", "--name", "e")[0] == 0
    code, _, errors = ensemble("--no-model", "--tests-from", "f")
    assert code == 2
    assert "There is no run called f." in errors


def test_tests_of_another_issue_are_not_taken(world, ensemble):
    with ModelServer(scripted_model.answer) as server:
        stored = ["--model", "mock", "--base-url", server.base_url, "--tests", "1", "--name", "t"]
        assert ensemble(*stored, "--set", "selection.turns=0", "--instances", "calc")[0] == 0
    rows = [instance_row("calc") | {"problem_statement": "Another one."}]
    (world.folder / "rows.jsonl").write_text(json.dumps(rows[0]) + "\n")
    code, _, errors = ensemble("--tests-from", "t", "--no-model", "--name", "e")
    assert code == 0
    assert "calc: The run t has another issue or commit." in errors
    with world.reader() as reader:
        assert not view(reader, "tests", run="e")


def test_other_tests_are_another_run(world, ensemble):
    with ModelServer(scripted_model.answer) as server:
        stored = ["--model", "mock", "--base-url", server.base_url, "--tests", "2", "--name", "t"]
        assert ensemble(*stored, "--set", "selection.turns=0", "--instances", "calc")[0] == 0
    assert ensemble("--tests", "0", "--no-model", "--name", "e")[0] == 0
    code, _, errors = ensemble("--tests-from", "t", "--no-model", "--name", "e")
    assert code == 2
    assert "begun with another configuration: tests" in errors


def test_a_patch_that_does_not_apply_and_damaged_rows_do_not_stop_others(world, ensemble):
    file = world.folder / "two.jsonl"
    bad = {"instance_id": "calc", "model_name_or_path": "two", "model_patch": "not a diff"}
    file.write_text(file.read_text() + json.dumps(bad) + '\n{"instance_id": "calc", "mod')
    code, _, errors = ensemble("--no-model", "--name", "e")
    assert code == 0
    assert "two.jsonl" in errors
    assert "The candidate of two is left out" in errors
    with world.reader() as reader:
        assert len(view(reader, "candidates", **where("calc"))) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tests", "3"], "No model is named that could write --tests."),
        (
            ["--tests", "3", "--model", "m", "--no-model"],
            "No model is named that could write --tests.",
        ),
        (["--tests", "-1", "--model", "m"], "--tests must be 0 or more."),
        (["--candidates", "one.jsonl"], "given twice"),
        (["--candidates", "none.json"], "none.json"),
        (["--grades", "none.jsonl"], "There is no file none.jsonl"),
        (["--instances", "calc-3"], "None of the candidates is for one of these instances."),
    ],
)
def test_bad_input_is_reported(world, ensemble, words, said):
    code, output, errors = ensemble(*words)
    assert (code, output) == (2, "")
    assert said in errors
