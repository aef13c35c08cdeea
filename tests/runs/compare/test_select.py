"""Choosing again on a stored run: `troop select`, grades, and what selection is worth."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from data.errors import StoreError, UsageError
from data.predictions.predictions import read_predictions
from runs.cli.main import main
from runs.compare.figures import SystemFigures, figures
from runs.compare.grades import read_grades
from runs.compare.reselect import Reselected
from runs.grading.subjects import of_run
from runs.store.matrices import stored_matrix
from selection.votes import agreement, discriminating_votes, paper_votes, rank
from tests.selection.matrices import PURE, matrix, ranked
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer
from tests.support.views import view

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A run called first, of one instance with two candidates."""
    troop = Command(tmp_path_factory.mktemp("select"))
    repository = calc_repository(troop.folder)
    with ModelServer(scripted_model.answer) as server:
        troop.finish(*solve_words(repository, server.base_url, "--name", "first"))
    return troop


@pytest.fixture
def candidates(stored):
    """The stored diffs: the right one, and the wrong one."""
    with stored.reader() as reader:
        rows = view(reader, "candidates", run="first")
        return {
            ("if ordered" in diff): (row["candidate"], diff, row["diff"])
            for row in rows
            if (diff := reader.text(row["diff"]))
        }


def grades(stored: Command, *rows: dict[str, object]) -> str:
    file = stored.folder / "grades.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


@pytest.fixture
def select(stored, capsys):
    """`troop select` in this process: exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["select", *words, "--db", stored.database])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def shown(select):
    """Standard output of a `troop select` that succeeds."""

    def run(*words: str) -> str:
        code, output, errors = select(*words)
        assert code == 0, output + errors
        return output

    return run


@pytest.fixture
def document(shown):
    """The same, read as JSON."""
    return lambda *words: json.loads(shown(*words, "--json"))


def test_the_matrix_comes_back_as_it_was_voted_on(stored):
    with stored.reader() as reader:
        instance = reader.instance("first", None)
        rebuilt = reader.story(instance).matrix
        rows = sorted(view(reader, "candidates", run="first"), key=lambda row: row["place"])
    order = [standing.candidate for standing in rank(rebuilt, "discriminating")]
    assert [c.number for c in order] == [row["candidate"] for row in rows]
    for row, candidate in zip(rows, order, strict=True):
        assert candidate.size == row["size"]
        assert candidate.support == row["support"]
        assert discriminating_votes(rebuilt)[candidate.number] == row["discriminating_votes"]
        assert paper_votes(rebuilt)[candidate.number] == row["paper_votes"]
        assert agreement(rebuilt)[candidate.number] == row["agreement"]
    assert {test.samples for test in rebuilt.tests} == {(1,), (2,), (3,), (4,)}


def test_a_matrix_with_a_verdict_missing_is_refused(stored):
    with stored.reader() as reader:
        story = reader.story(reader.instance("first", None))
        votes = [vote for vote in story.votes if (vote.candidate, vote.test) != (1, 2)]
        with pytest.raises(StoreError, match="lacks a verdict of test 2"):
            stored_matrix("calc", story.candidates, story.tests, votes, ())


def test_every_method_stands_beside_the_runs_choice(stored):
    """In a process of its own, as people run it."""
    said = stored.finish("select", "last")
    for method in PURE:
        assert method in said
    assert "the selection trajectory chose it" in said
    assert "chooses what the run chose, of 1" in said
    assert "grades" not in said


def test_json_has_rankings_reasons_and_agreement(document, candidates):
    found = document("first", "--method", "paper, shortest,paper")
    (instance,) = found["instances"]
    assert list(instance["methods"]) == ["paper", "shortest"]
    assert instance["chosen"] == candidates[True][0]
    assert sorted(instance["methods"]["paper"]["ranking"]) == [1, 2]
    assert instance["methods"]["shortest"]["ranking"][0] == candidates[False][0]
    assert instance["candidates"][str(candidates[True][0])] == candidates[True][2]
    assert found["agrees_with_run"]["shortest"] == 0
    assert "figures" not in found


def test_the_seed_decides_what_random_takes(document):
    drawn = set()
    for seed in range(8):
        found = document("first", "-m", "random", "--seed", str(seed))
        drawn.add(found["instances"][0]["methods"]["random"]["ranking"][0])
    assert drawn == {1, 2}


def test_grades_say_what_each_method_is_worth(stored, document, shown, candidates):
    """The foreign text of the right patch has other context; the wrong one goes by its digest."""
    name = document("first")["instances"][0]["instance_id"]
    foreign = candidates[True][1].replace("@@ -1,", "@@ -5,").replace("index ", "index f")
    file = grades(
        stored,
        {"instance_id": name, "model_patch": foreign, "resolved": False, "resolved_here": True},
        {"instance_id": name, "candidate": candidates[False][2], "resolved": False},
    )
    found = document("first", "--grades", file)["figures"]
    assert found["instances"] == 1
    assert found["run"] == found["oracle"] == 1
    assert found["selected"]["shortest"] == 0
    assert found["random_expected"] == pytest.approx(2 / 3)  # two of three writers
    said = shown("first", "--oracle", file)
    for part in ("by the grades, which no selector sees", "resolved of 1", "66.7%", "oracle"):
        assert part in said


def test_candidates_without_a_grade_are_reported_and_left_out(stored, document, shown, candidates):
    name = document("first")["instances"][0]["instance_id"]
    row = {"instance_id": name, "model_patch": candidates[True][1], "resolved": True}
    said = shown("first", "--grades", grades(stored, row))
    assert "1 of 2" in said
    assert "resolved of" not in said


def test_grades_that_belong_to_nothing_are_named(stored, select, document):
    name = document("first")["instances"][0]["instance_id"]
    file = grades(
        stored,
        {"instance_id": name, "candidate": "0" * 64, "resolved": True},
        {"instance_id": "elsewhere", "candidate": "1" * 64, "resolved": True},
    )
    code, _, errors = select("first", "--grades", file)
    assert code == 0
    assert "the run has no such instance: elsewhere." in errors
    assert f"they are of no candidate: {name}." in errors


@pytest.mark.parametrize("file", ["preds.json", "deeper/preds.jsonl"])
def test_the_choices_of_a_method_are_written_for_the_harness(stored, shown, candidates, file):
    path = stored.folder / file
    shown("first", "-m", "shortest", "--write", str(path))
    ((prediction,),) = read_predictions(path).values()
    assert prediction.model_patch == candidates[False][1]
    assert prediction.model_name_or_path == "troop-mock-shortest"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frist",), "Did you mean first?"),
        (("first", "nobody"), "no instance in run first called nobody"),
        (("first", "-m", "codex"), "There is no selection method 'codex'"),
        (("first", "-m", "paper,"), "There is no selection method ''"),
        (("first", "--write", "x.json"), "--output takes one method's choices"),
        (("first", "-m", "paper", "--write", "."), "is a folder"),
        (("first", "--grades", "none.jsonl"), "There is no file none.jsonl"),
    ],
)
def test_bad_input_is_reported(select, words, said):
    code, output, errors = select(*words)
    assert code == 2
    assert said in errors
    assert not output


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"instance_id": "a", "model_patch": "x"}], "row 1: lacks resolved"),
        ([{"instance_id": "a", "model_patch": "x", "resolved": "yes"}], "must be true or false"),
        ([{"instance_id": "a", "resolved": True}], "neither a patch nor a candidate's digest"),
        (
            [{"instance_id": "a", "patch": "x", "resolved": said} for said in (True, False)],
            "line 2: a: this patch has two different grades.",
        ),
    ],
)
def test_malformed_grades(tmp_path, rows, said):
    file = tmp_path / "grades.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        read_grades(file)


def reselected(name: str, given, chosen: int | None, grades: dict[int, bool]) -> Reselected:
    rankings = {m: ranked(m, given) for m in PURE}
    return Reselected(name, given, chosen, "vote", rankings, grades)


def test_figures_worked_by_hand():
    """Three instances count: an even one, a hopeless one, one without candidates."""
    even = matrix("f", "p", "f", writers=((1,), (2, 3, 4)), sizes=(20, 10))
    found = [
        reselected("even", even, 1, {1: True, 2: False}),
        reselected("hopeless", matrix("f", "p", "f"), 1, {1: False, 2: False}),
        reselected("empty", matrix("f"), None, {}),
        reselected("ungraded", matrix("f", "p", "f"), 1, {1: True}),
    ]
    counted = figures(found, PURE)
    assert counted.instances == 3
    assert counted.by_run == counted.oracle == 1
    assert counted.by_chance == pytest.approx(0.25)
    assert counted.by_method["discriminating"] == 1
    assert counted.by_method["shortest"] == counted.by_method["agreement"] == 0
    assert counted.systems == ()
    assert counted.gap_closed(1) == pytest.approx(1.0)


def test_several_candidates_of_a_system_share_its_count():
    """One system has both candidates of an instance, one of them shared; then none."""
    both = matrix("f", "p", "f", writers=((), ()))
    first, second = both.candidates
    sources = (replace(first, sources=("a", "b")), replace(second, sources=("a",)))
    alone = matrix("f", "p", writers=((),))
    found = [
        reselected("x", replace(both, candidates=sources), 1, {1: True, 2: False}),
        reselected(
            "y",
            replace(alone, candidates=(replace(alone.candidates[0], sources=("b",)),)),
            1,
            {1: False},
        ),
    ]
    counted = figures(found, [])
    assert counted.systems == (SystemFigures("b", 1.0, 2), SystemFigures("a", 0.5, 1))
    assert counted.by_chance == pytest.approx(2 / 3)
    assert counted.gap_closed(1) == pytest.approx(1.0)
    assert figures([], []).gap_closed(0) is None


def test_instances_that_have_not_ended_are_reported(stored, capsys, tmp_path):
    copy = tmp_path / "copy.db"
    whole = stored.folder / "data" / "troop" / "troop.db"
    with closing(sqlite3.connect(whole)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute("UPDATE instance SET status = 'interrupted'")
    assert main(["select", "first", "--db", str(copy)]) == 1
    output, errors = capsys.readouterr()
    assert "Left out, because they have not ended: 1 instance." in errors
    assert not output


def test_samples_that_only_write_tests_are_no_failed_writers_of_patches(stored):
    with stored.reader() as reader:
        run = reader.run("first")
        as_ensemble = replace(run, config={**run.config, "samples.strategy": "tests-only"})
        for each in (run, as_ensemble):
            writers = sum(one.writers for one in of_run(reader, each, [], every=True) if one.diff)
            failed = sum(one.writers for one in of_run(reader, each, [], every=True)) - writers
            samples = view(reader, "samples", run="first")
            without = sum(one["candidate"] is None for one in samples)
            assert failed == (0 if each is as_ensemble else without)
