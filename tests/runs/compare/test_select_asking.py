"""`troop select` with methods that ask: the model alone, the selection trajectory, the oracle.

The command is the real one, over a run of a person's own repository in the local sandbox.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import replace

import pytest

from runs.cli.main import main
from runs.store.database import sqlite_url
from runs.store.ownership import Claim, Terms
from runs.store.reading import Reader
from runs.store.store import Store
from sandbox.owner import this_process
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import HANG, ModelServer, in_turn, refuse
from tests.support.views import view

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run called first that left its choice to the votes."""
    troop = Command(tmp_path_factory.mktemp("asking"))
    repository = calc_repository(troop.folder)
    with ModelServer(scripted_model.answer) as server:
        words = solve_words(repository, server.base_url, "--name", "first")
        troop.finish(*words, "--set", "selection.selector=regression")
    return troop


@pytest.fixture
def database(first, tmp_path):
    """A copy of its database."""
    file = tmp_path / "copy.db"
    with closing(sqlite3.connect(first.folder / "data" / "troop" / "troop.db")) as source:
        source.execute("VACUUM INTO ?", (str(file),))
    return file


@pytest.fixture
def select(database, capsys):
    def run(*words):
        code = main(["select", "first", "--json", "--db", str(database), *words])
        output, errors = capsys.readouterr()
        return code, json.loads(output) if output else None, errors

    return run


@pytest.fixture
def reader(database):
    with Reader(sqlite_url(database)) as reader:
        yield reader


def right_one(reader):
    rows = view(reader, "candidates", run="first")
    return next(r["candidate"] for r in rows if "if ordered else" in reader.text(r["diff"]))


def test_the_model_chooses_from_the_diffs_and_is_asked_once(select, reader):
    with ModelServer(scripted_model.answer) as server:
        code, found, errors = select("--method", "model,shortest", "--base-url", server.base_url)
        assert code == 0, errors
        (request,) = server.requests
    assert request["temperature"] == 0.0
    opening = request["messages"][1]["content"]
    assert "<issue>" in opening
    assert "calc/ops.py" in opening
    assert "# variant" not in opening  # no test is shown
    said = found["instances"][0]["methods"]["model"]
    assert said["ranking"][0] == right_one(reader)
    assert said["reason"] == "a model chose it from 2 candidates"
    # No server is there any more.
    code, again, _ = select("--method", "model,shortest")
    assert (code, again) == (0, found)
    (row,) = [r for r in view(reader, "trajectories", run="first") if r["kind"] == "judge"]
    assert (row["turns"], row["outcome"]) == (1, "done")
    assert "judge" in {r["stage"] for r in view(reader, "cost_by_stage", run="first")}


def test_another_model_or_setting_is_another_question(select):
    with ModelServer(scripted_model.answer, models=("mock", "other")) as server:
        for words in ((), ("--model", "other"), ("--set", "selection.max_tokens=100")):
            assert select("--method", "model", "--base-url", server.base_url, *words)[0] == 0
        assert [r["model"] for r in server.requests] == ["mock", "other", "mock"]


def test_the_selection_trajectory_runs_again_in_the_sandbox(select, reader):
    assert reader.instance("first", None).reason == "vote"
    words = ["--method", "selection", "--set", "selection.finalists=2"]
    with ModelServer(scripted_model.answer) as server:
        code, found, errors = select(*words, "--base-url", server.base_url)
        assert code == 0, errors
        assert len(server.requests) == 2  # a test, then the choice
    said = found["instances"][0]["methods"]["selection"]
    assert said["ranking"][0] == right_one(reader)
    (row,) = [r for r in view(reader, "trajectories", run="first") if r["kind"] == "selection"]
    seen = view(reader, "trajectory_executions", run="first", trajectory=row["trajectory"])
    assert {r["purpose"] for r in seen} == {"unedited repository", "candidate A", "candidate B"}
    code, again, _ = select(*words)
    assert (code, again) == (0, found)
    assert reader.instance("first", None).reason == "vote"  # the run's own choice stands


def test_an_answer_that_cannot_be_read_leaves_the_order(select, reader):
    with ModelServer(lambda body: "I like them all.") as server:
        code, found, _ = select("--method", "model", "--base-url", server.base_url)
        assert (code, len(server.requests)) == (0, 3)
    said = found["instances"][0]["methods"]["model"]
    assert "no usable answer (out of turns)" in said["reason"]
    assert said["ranking"][0] == right_one(reader)  # two wrote it


def test_killed_after_the_first_reply_a_run_continues_there(first, database, reader):
    words = ["select", "first", "--method", "model", "--json", "--db", str(database)]
    with ModelServer(in_turn("Let me think.", HANG)) as server:
        process = first.start(*words, "--base-url", server.base_url)
        while len(server.requests) < 2 and process.poll() is None:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    with ModelServer(scripted_model.answer) as server:
        found = json.loads(first.finish(*words, "--base-url", server.base_url))
        (request,) = server.requests
    assert [m["role"] for m in request["messages"]] == ["system", "user", "assistant", "user"]
    assert request["messages"][2]["content"] == "Let me think."
    assert found["instances"][0]["methods"]["model"]["ranking"][0] == right_one(reader)


def held_elsewhere(database) -> None:
    """As if a process on another host worked on the instance."""
    elsewhere = replace(this_process(), host="h", boot="b")

    async def hold() -> None:
        with Store(sqlite_url(database)) as store:
            run = await store.find_run("first")
            terms = Terms(3600, me=elsewhere, host="far")
            worker = await store.join(run, terms)
            with Reader(database) as reader:
                name = reader.instance("first", None).instance_id
            assert isinstance(await store.claim_ended(worker, await store.find(run, name)), Claim)

    asyncio.run(hold())


def test_an_instance_that_is_worked_on_now_is_waited_for_or_taken_over(first, database, select):
    held_elsewhere(database)
    words = ["select", "first", "--method", "model", "--db", str(database)]
    with ModelServer(scripted_model.answer) as server:
        words += ["--base-url", server.base_url]
        waiting = first.start(*words)
        for line in waiting.stderr:
            if "Waiting for 1 instance" in line:
                break
        assert not server.requests
        assert select("--method", "paper")[0] == 0  # reading harms nobody
        first.finish(*words, "--take-over")
        output, errors = waiting.communicate(timeout=60)  # it is free now, and answered
        assert waiting.returncode == 0, errors
        assert len(server.requests) == 1
    assert "model" in output


def commit(repository, *words):
    """Start git there, as somebody."""
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(repository), *name, *words], check=True, capture_output=True)


def test_a_repository_that_was_moved_and_has_new_commits_is_read_at_its_commit(
    first, select, tmp_path
):
    moved = tmp_path / "moved"
    shutil.copytree(first.folder / "calc", moved)
    (moved / "calc" / "text.py").write_text("")
    commit(moved, "commit", "-qam", "second")
    with ModelServer(scripted_model.answer) as server:
        words = ["--method", "selection", "--base-url", server.base_url, "--dataset", str(moved)]
        code, found, errors = select(*words)
    assert code == 0, errors
    assert len(found["instances"]) == 1


def test_a_repository_without_the_commit_is_reported_and_left_out(first, select, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(first.folder / "calc", other, ignore=shutil.ignore_patterns(".git"))
    commit(tmp_path, "init", "-q", str(other))
    commit(other, "add", ".")
    commit(other, "commit", "-qm", "another first")
    with ModelServer(scripted_model.answer) as server:
        words = ["--method", "selection", "--base-url", server.base_url, "--dataset", str(other)]
        code, found, errors = select(*words)
        assert not server.requests
    assert code == 2
    assert found["instances"] == []
    assert "Left out, because no model could be asked" in errors


def test_a_server_that_refuses_ends_the_command(select):
    with ModelServer(lambda body: refuse(401, "wrong key")) as server:
        code, _, errors = select("--method", "model", "--base-url", server.base_url)
    assert code == 4
    assert errors


def test_the_oracle_is_marked_and_is_no_selector(select, database, reader, capsys, tmp_path):
    number = right_one(reader)
    rows = [
        {
            "instance_id": reader.instance("first", None).instance_id,
            "candidate": row["diff"],
            "resolved": row["candidate"] == number,
        }
        for row in view(reader, "candidates", run="first")
    ]
    files = []
    for n, row in enumerate(rows):  # in two files
        files.append(tmp_path / f"grades-{n}.jsonl")
        files[-1].write_text(json.dumps(row) + "\n")
    graded = ["--grades", *map(str, files)]
    code, found, _ = select("--method", "shortest,oracle", *graded)
    methods = found["instances"][0]["methods"]
    assert code == 0
    assert methods["oracle"]["ranking"] == [number]
    assert (methods["oracle"]["selector"], methods["shortest"]["selector"]) == (False, True)
    assert found["figures"]["oracle"] == 1
    assert "oracle" not in found["figures"]["selected"]
    assert main(["select", "first", "--db", str(database), "-m", "all,oracle", *graded]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "(oracle) not a selector, because it looks at the grades" in said
    code, _, errors = select("--method", "oracle")
    assert (code, "Give --grades" in errors) == (2, True)
    code, _, errors = select("--method", "oracle", *graded, "--write", str(tmp_path / "x.json"))
    assert (code, "not predictions" in errors) == (2, True)
