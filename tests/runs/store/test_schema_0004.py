"""Databases that Troop of schema 0004 wrote: all in them is there still, and runs in them go on.

What is compared are facts (rows, JSON documents, files), held against what the Troop of that day
made of the same databases; of pages for people only that they show the facts. Runs are finished by
the commands that began them. The databases are described in `data/0004/make.py`.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from runs.store.database import sqlite_url
from tests.support import goldens, tally
from tests.support.goldens import INTERRUPTED, SOLVED, Troop
from tests.support.model_server import ModelServer
from tests.support.transfer import transfer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RUNS = {
    **{name: [name] for name in SOLVED},
    "dataset": ["dataset"],
    "ensemble": ["barrel", "tests", "votes"],
    "asked": ["plain"],
}
"""The runs in each database that holds finished ones."""
FINISHED = [(database, run) for database, runs in RUNS.items() for run in runs]
NOWHERE = "http://127.0.0.1:9/v1"
"""No server is there: whoever asks, fails."""
WIDE = 400
"""Columns of the terminal, so that no line of a page is folded."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    """The repository, its issue, the dataset, the other systems' files."""
    folder = tmp_path_factory.mktemp("inputs")
    goldens.lay_inputs(folder)
    return folder


@pytest.fixture(autouse=True)
def own_folders(inputs, monkeypatch):
    """The user's folders are not ours; templates of the sandbox are shared by the tests here."""
    for name, place in goldens.folders(inputs).items():
        monkeypatch.setenv(name, place)
    monkeypatch.setenv("COLUMNS", str(WIDE))
    monkeypatch.delenv("TROOP_DB", raising=False)


@pytest.fixture
def opened(inputs, tmp_path, dialect, request):
    """Opens a copy of a stored database, in SQLite as it is or transferred to PostgreSQL."""

    def open_copy(name: str) -> Troop:
        troop = goldens.unpack(name, inputs)
        file = troop.database.rename(tmp_path / f"{name}.db")
        troop.database = file
        if dialect == "postgresql":
            troop.database = request.getfixturevalue("another_url")()
            transfer(sqlite_url(file), troop.database, "0004")
        return troop

    return open_copy


@pytest.fixture
def rows_sandbox(monkeypatch):
    """Runs scripts of the dataset's instances on this machine."""

    async def provider(kind, images=None):
        return goldens.RowsSandbox()

    monkeypatch.setattr("sandbox.kinds.choose.choose_provider", provider)


@pytest.fixture
def server():
    with ModelServer(tally.answer) as running:
        yield running


def same(found: object, golden: object) -> None:
    """Equal, told by the first part that differs."""
    found = goldens.as_json(found)
    if isinstance(found, dict) and isinstance(golden, dict):
        assert sorted(found) == sorted(golden)
        for name, part in found.items():
            assert part == golden[name], name
    assert found == golden


@pytest.mark.parametrize("name", [*RUNS, "interrupted"])
def test_every_view_has_the_same_rows(opened, name):
    same(goldens.facts(opened(name)), goldens.read_golden(name)["facts"])


@pytest.mark.parametrize(("name", "run"), FINISHED)
def test_every_form_is_exported_alike(opened, tmp_path, name, run):
    troop, golden = opened(name), goldens.read_golden(name)
    same(goldens.exported(troop, run, tmp_path / "out"), golden["export"][run])
    for key, recording in golden["recording"].items():
        of, _, instance = key.partition(" ")
        if of == run:
            same(goldens.recorded(troop, run, instance, tmp_path / "r.jsonl"), recording)


@pytest.mark.parametrize(("name", "run"), FINISHED)
def test_every_method_chooses_alike(opened, name, run):
    same(goldens.selected(opened(name), run), goldens.read_golden(name)["select"][run])


def test_grades_in_a_file_are_worth_what_stored_ones_are(opened, tmp_path):
    troop, golden = opened("ensemble"), goldens.read_golden("ensemble")["select"]["votes"]
    rows = troop.rows("SELECT content(diff) FROM candidates WHERE run = 'votes'")
    file = tmp_path / "grades.jsonl"
    file.write_text(
        "".join(
            json.dumps(
                {"instance_id": "tally-1", "model_patch": diff, "resolved": tally.MARK in diff}
            )
            + "\n"
            for (diff,) in rows
        )
    )
    assert golden["figures"]["oracle"] == 1
    same(goldens.selected(troop, "votes", "--grades", str(file)), golden)


def test_what_a_model_chose_is_known_without_one(opened):
    methods = f"{goldens.METHODS},model,selection"
    found = goldens.selected(opened("asked"), "plain", "--base-url", NOWHERE, methods=methods)
    same(found, goldens.read_golden("asked")["asked"])
    finalists = ["--set", "selection.finalists=2"]
    again = goldens.selected(
        opened("asked"), "plain", "--base-url", NOWHERE, *finalists, methods="selection"
    )
    (one,) = again["instances"]
    assert one["methods"]["selection"]["ranking"][0] == one["chosen"]


@pytest.mark.parametrize(("name", "run"), FINISHED)
def test_pages_show_the_facts(opened, name, run):
    troop = opened(name)
    assert run in troop.finish("show")
    listed = troop.finish("show", run)
    facts = goldens.read_golden(name)["facts"]
    for row in facts["instances"]:
        if row[0] != run:
            continue
        instance, chosen = row[1], row[8]
        if facts["runs"][0][5] > 1:
            assert instance in listed
        page = troop.finish("show", run, instance)
        assert instance in page
        numbers = [k[2] for k in facts["candidates"] if k[:2] == [run, instance]]
        for number in numbers:
            assert f"candidate {number}" in page
        if chosen:
            # It is not stored of what ended then, and known from its votes all the same.
            assert "Supported: it passes" in page
            (patch,) = (p[3] for p in facts["patches"] if p[:3] == [run, instance, chosen])
            changed = [line for line in patch.splitlines() if line[:2] in {"+ ", "- "}]
            assert changed
            assert all(line in page for line in changed)
            assert troop.finish("show", run, instance, "--patch") == patch
        verdicts = {v[4] for v in facts["votes"] if v[:2] == [run, instance]}
        signs = {"pass": "✔", "fail": "✘", "error": "!"}
        assert all(signs[verdict] in page for verdict in verdicts if numbers)


@pytest.mark.parametrize("name", ["plain", "shell"])
def test_conversations_are_shown_whole(opened, name):
    troop = opened(name)
    said = troop.rows("SELECT trajectory, content(reply) FROM turns WHERE sample = 2")
    page = troop.finish("show", name, "--sample", "2")
    for trajectory, reply in said:
        assert trajectory in page
        for line in reply.splitlines():
            assert line.strip() in page
    printed = troop.rows(
        "SELECT content(output) FROM trajectory_executions WHERE sample = 2 AND purpose = 'after'"
    )
    assert printed
    for (output,) in printed:
        assert all(line in page for line in output.splitlines())
    (instance,) = troop.rows("SELECT instance_id FROM instances")
    page = troop.finish("show", name, instance[0], "selection")
    assert "<choose>" in page


@pytest.mark.parametrize("run", SOLVED)
def test_a_finished_run_asks_nothing_and_shows_its_result(opened, run):
    troop = opened(run)
    before = goldens.facts(troop)
    patch = troop.finish(*troop.solve_words(run, NOWHERE, SOLVED[run]), "--patch-only")
    assert tally.MARK in patch
    assert goldens.facts(troop) == before


def test_a_finished_ensemble_asks_nothing(opened):
    troop = opened("ensemble")
    before = goldens.facts(troop)
    troop.finish(*troop.ensemble_words("votes", "--tests-from", "tests", "--no-model"))
    model = ["--model", "mock", "--base-url", NOWHERE]
    words = ["--tests-from", "tests", "--tests", "2", *model]
    troop.finish(*troop.ensemble_words("barrel", *words))
    assert goldens.facts(troop) == before


@pytest.mark.usefixtures("rows_sandbox")
def test_what_failed_is_tried_again_and_what_ended_is_not(opened, server, monkeypatch):
    """The third instance, whose sandbox could not be opened, ends as the first did."""
    troop = opened("dataset")
    monkeypatch.setattr(goldens.RowsSandbox, "open", goldens.PlainSandbox.open)
    before = goldens.outcome(troop, "dataset")
    troop.finish(*troop.run_words(server.base_url, *goldens.DATASET_IDS))
    after = goldens.outcome(troop, "dataset")
    for name in goldens.FINAL:
        kept = [row for row in after[name] if row[0] != "tally-3"]
        assert kept == [row for row in before[name] if row[0] != "tally-3"], name
    for name in ("candidates", "tests", "votes", "digests"):
        third = [row[1:] for row in after[name] if row[0] == "tally-3"]
        assert third == [row[1:] for row in after[name] if row[0] == "tally-1"], name
    assert replies(server) == sum(row[0] == "tally-3" for row in after["digests"])


def replies(server: ModelServer) -> int:
    """How many replies the server was asked for."""
    return sum(int(body.get("n") or 1) for body in server.requests)


@pytest.mark.parametrize("run", INTERRUPTED)
def test_an_interrupted_run_continues_where_it_stopped(opened, server, run):
    """Nothing that is recorded is asked again, and it ends as one that was never interrupted."""
    name = "shell" if run.startswith("shell") else "plain"
    troop = opened("interrupted")
    stored = turns(troop, run)
    executed = executions(troop, run)
    assert stored
    assert executed
    patch = troop.finish(*troop.solve_words(run, server.base_url, SOLVED[name]), "--patch-only")
    assert tally.MARK in patch
    now = turns(troop, run)
    assert now[: len(stored)] == stored
    assert replies(server) == len(now) - len(stored)
    assert executions(troop, run)[: len(executed)] == executed
    same(goldens.outcome(troop, run), goldens.read_golden(f"{name}.outcome"))
    executed_alike(troop, run, name)


def executed_alike(troop: Troop, run: str, name: str) -> None:
    """As many executions as then, give or take what is run ahead of its time.

    In "plain" two samples write the same patch in two ways. What comes in first is run on the other
    three tests at once; the shorter one, which stands for both in the end, always is.
    """
    counted = {row[0]: row[1] for row in troop.rows(goldens.QUERIES["distinct executions"])}
    ((_, count),) = goldens.read_golden(name)["facts"]["distinct executions"]
    assert abs(counted[run] - count) <= (3 if name == "plain" else 0)


def turns(troop: Troop, run: str) -> list[list[object]]:
    """All recorded replies, the oldest first."""
    return troop.rows(
        "SELECT trajectory, turn, call, n, prompt, reply, finish, created_at FROM turns"
        f" WHERE run = '{run}' ORDER BY call, trajectory, turn"
    )


def executions(troop: Troop, run: str) -> list[list[object]]:
    """All recorded executions, the oldest first."""
    return troop.rows(
        "SELECT execution, script, diff, repeat, output, duration_s FROM executions"
        f" WHERE run = '{run}' ORDER BY execution"
    )


def test_other_settings_do_not_continue_an_interrupted_run(opened):
    """Its configuration is known still, down to single settings."""
    troop = opened("interrupted")
    words = troop.solve_words("killed", NOWHERE, SOLVED["plain"])
    code, _, errors = troop.run(*words, "--set", "samples.testing_turns=3")
    assert code == 2
    assert "testing_turns" in errors


@pytest.mark.parametrize("run", SOLVED)
def test_fresh_runs_send_the_same_requests_and_end_the_same(inputs, url, server, run):
    """Every prompt and every request, byte by byte, and what came of them."""
    troop = Troop(inputs, url)
    troop.finish(*troop.solve_words(run, server.base_url, SOLVED[run]))
    same(goldens.prompts(troop, run), goldens.read_golden("prompts")[run])
    same(goldens.outcome(troop, run), goldens.read_golden(f"{run}.outcome"))
    executed_alike(troop, run, run)


@pytest.mark.usefixtures("rows_sandbox")
def test_a_fresh_run_of_the_dataset_sends_the_same_requests(inputs, url, server):
    troop = Troop(inputs, url)
    troop.run(*troop.run_words(server.base_url, *goldens.DATASET_IDS))
    same(goldens.prompts(troop, "dataset"), goldens.read_golden("prompts")["dataset"])
    same(goldens.outcome(troop, "dataset"), goldens.read_golden("dataset.outcome"))


@pytest.mark.usefixtures("rows_sandbox")
def test_fresh_ensembles_send_the_same_requests(inputs, url, server):
    troop = Troop(inputs, url)
    model = ["--model", "mock", "--base-url", server.base_url]
    turns_ = ["--set", "selection.turns=0"]
    troop.finish(*troop.ensemble_words("tests", *model, "--tests", "4", *turns_))
    words = ["--tests-from", "tests", "--tests", "2"]
    troop.finish(*troop.ensemble_words("barrel", *words, *model))
    for run in ("tests", "barrel"):
        same(goldens.prompts(troop, run), goldens.read_golden("prompts")[run])


def test_the_demo_sends_the_same_requests(opened):
    """Its executions are in the database, so what they printed does not depend on this machine.

    Only the repository's tests run again: see `goldens._OUR_PROGRAM`.
    """
    troop = opened("demo")
    executed = troop.rows(goldens.QUERIES["distinct executions"])
    troop.finish("demo", "--sandbox", "local", "--no-wait")
    ((run,),) = troop.rows("SELECT run FROM runs")
    same(goldens.prompts(troop, run), goldens.read_golden("prompts")["demo"])
    same(goldens.outcome(troop, run), goldens.read_golden("demo.outcome"))
    assert troop.rows(goldens.QUERIES["distinct executions"]) == executed


@pytest.mark.parametrize("name", [*RUNS, "interrupted", "demo"])
def test_the_databases_are_of_that_schema(tmp_path, name):
    """Plain files of one version, whose texts are all there."""
    with closing(sqlite3.connect(goldens.unpack(name, tmp_path).database)) as database:
        ((version,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
        missing = database.execute(
            "SELECT reply FROM turn WHERE reply NOT IN (SELECT digest FROM blob)"
        ).fetchall()
    assert (version, missing) == ("0004", [])
