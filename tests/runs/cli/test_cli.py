"""The command line: what it prints, its exit codes, and bad input of every kind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tests.support import model_server as servers
from tests.support import scripted_model
from tests.support.command import ROOT, Command, calc_repository, solve_words
from tests.support.docker import require_docker
from tests.support.model_server import ModelServer
from tests.support.views import view
from tests.support.waiting import HANG_S, eventually

ROW = {
    "instance_id": "calc__calc-1",
    "repo": "calc/calc",
    "base_commit": "0" * 40,
    "problem_statement": "It is broken.",
    "image": "troop-tests/no-such-image:latest",
}


@pytest.fixture
def troop(tmp_path):
    return Command(tmp_path)


@pytest.fixture
def repository(tmp_path):
    return calc_repository(tmp_path)


@pytest.fixture
def server():
    with ModelServer(scripted_model.answer) as running:
        yield running


def dataset(troop: Command, *lines: object) -> str:
    file = troop.folder / "rows.jsonl"
    file.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    return str(file)


def nothing_lost(troop: Command, repository, more: list[str] | None = None) -> None:
    """With a server that works, the same command comes to its end."""
    with ModelServer(scripted_model.answer) as server:
        troop.finish(*solve_words(repository, server.base_url, *(more or [])))


@pytest.mark.slow
def test_help_answers_at_once_and_imports_nothing_heavy():
    heavy = ("openai", "docker", "datasets", "sqlalchemy", "rich", "pydantic", "alembic", "git")
    code = (
        "import sys\nfrom runs.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "troop demo" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        *("demo", "solve", "run", "show", "select", "sql", "export"),
        *("check-predictions", "check-submission", "config", "data", "gc", "doctor"),
    ],
)
def test_every_command_explains_itself_with_examples(troop, command):
    code, output, _ = troop.run(command, "--help")
    assert code == 0
    assert "examples:" in output.lower()
    assert f"troop {command}" in output


def test_the_patch_comes_out_and_applies(troop, repository, server):
    patch = troop.finish(*solve_words(repository, server.base_url, "--patch-only"))
    subprocess.run(["git", "apply", "-"], cwd=repository, input=patch, text=True, check=True)
    assert "if ordered else 0.0" in (repository / "calc" / "ops.py").read_text()


def test_everything_about_a_run_can_be_looked_at(troop, repository, server):
    out = troop.folder / "out.patch"
    words = solve_words(repository, server.base_url, "--name", "first", "-o", str(out))
    report = troop.finish(*words)
    for shown in ("candidate 1", "before the edit", "selection trajectory chose it", "if ordered"):
        assert shown in report
    assert out.read_text().startswith("diff --git a/calc/ops.py")
    assert "first" in troop.finish("show")
    assert "if ordered" in troop.finish("show", "last", "--patch")
    assert "no edit" in troop.finish("show", "first")
    assert "sample-4/editing" in troop.finish("show", "first", "--trajectories")
    trajectory = troop.finish("show", "first", "--sample", "4")
    assert "the SEARCH text is not in the file" in trajectory
    assert troop.finish("sql", "--format", "csv", "SELECT count(*) AS n FROM samples") == "n\n4\n"
    (line,) = troop.finish("sql", "--format", "json", "SELECT status FROM runs").splitlines()
    assert json.loads(line) == {"status": "finished"}
    assert "cost_by_stage" in troop.finish("sql", "--views")
    troop.finish("export", "first", "-o", str(troop.folder / "preds"))
    (prediction,) = json.loads((troop.folder / "preds" / "preds.json").read_text()).values()
    assert prediction["model_patch"] == out.read_text()
    assert prediction["model_name_or_path"] == "troop-mock"


def test_a_recording_replays_without_a_server(troop, repository, server):
    troop.finish(*solve_words(repository, server.base_url, "--name", "first"))
    recording = str(troop.folder / "replies.jsonl")
    troop.finish("export", "first", "--recording", recording)
    asked = len(server.requests)
    words = solve_words(repository, "http://127.0.0.1:9/v1", "--replay", recording)
    replayed = troop.finish(*words, "--name", "second", "--patch-only")
    assert replayed == troop.finish("show", "first", "--patch")
    assert len(server.requests) == asked


def test_outside_candidates_join_the_race(troop, repository, server):
    right = troop.finish(*solve_words(repository, server.base_url, "--patch-only"))
    with troop.reader() as reader:
        (row,) = view(reader, "instances")
    candidates = troop.folder / "theirs.json"
    broken = right.replace("def mean", "def nowhere")
    rows = [
        {"instance_id": row["instance_id"], "model_name_or_path": name, "model_patch": patch}
        for name, patch in (("them", right), ("others", broken), ("nobody", ""))
    ]
    candidates.write_text(json.dumps(rows))
    words = solve_words(repository, server.base_url, "--candidates", str(candidates))
    code, _, errors = troop.run(*words, "--name", "ensemble")
    assert code == 0
    assert "The candidate of others is left out" in errors
    with troop.reader() as reader:
        sources = [c["sources"] for c in view(reader, "candidates", run="ensemble")]
    assert sorted(sources) == ["", "them"]


def test_no_samples_at_all_still_choose_among_outside_candidates(troop, repository, server):
    right = troop.finish(*solve_words(repository, server.base_url, "--patch-only"))
    with troop.reader() as reader:
        (row,) = view(reader, "instances")
    candidates = troop.folder / "theirs.json"
    candidates.write_text(
        json.dumps({row["instance_id"]: {"instance_id": row["instance_id"], "model_patch": right}})
    )
    words = solve_words(repository, server.base_url, "--candidates", str(candidates))
    assert troop.finish(*words, "--samples", "0", "--patch-only") == right


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "usage"),
        (["slove"], "invalid choice"),
        (["solve"], "Give either --repo"),
        (["solve", "--dataset", "x.jsonl"], "--instance"),
        (["solve", "--repo", "."], "--issue"),
        (["solve", "--dataset", "none.jsonl", "--instance", "a"], "none.jsonl"),
        (["solve", "--dataset", "x", "--instance", "a", "--language", "go"], "your own repository"),
        (["run", "--dataset", "none.jsonl", "--samples", "many"], "invalid int"),
        (["run", "--dataset", "x", "--set", "samples.cuont=1"], "samples.cuont"),
        (["sql"], "cost_by_stage"),
    ],
)
def test_wrong_arguments_give_exit_code_2(troop, words, told):
    code, output, errors = troop.run(*words)
    assert code == 2
    assert told in output + errors


def test_an_unknown_instance_is_reported_with_similar_names(troop):
    code, _, errors = troop.run(
        "solve", "--dataset", dataset(troop, ROW), "--instance", "calc__calc-2", "--model", "m"
    )
    assert code == 2
    assert "calc__calc-1" in errors


def test_a_malformed_line_is_reported_with_its_number(troop):
    code, _, errors = troop.run(
        "run", "--dataset", dataset(troop, ROW, '{"instance_id": "x", '), "--model", "m"
    )
    assert code == 2
    assert "rows.jsonl:2" in errors or "line 2" in errors


def test_uncommitted_changes_are_reported(troop, repository, server):
    (repository / "calc" / "ops.py").write_text("changed\n")
    code, _, errors = troop.run(*solve_words(repository, server.base_url))
    assert code == 2
    assert "calc/ops.py" in errors


def test_the_issue_and_the_patch_may_lie_in_the_repository(troop, repository, server):
    (repository / "bug.md").write_text(scripted_model.ISSUE)
    words = solve_words(repository, server.base_url, "-o", str(repository / "x.patch"))
    words[words.index("--issue") + 1] = str(repository / "bug.md")
    for _ in range(2):
        assert "candidate 1" in troop.finish(*words)


@pytest.mark.parametrize("name", ["../../escape", "last", "", "a b", "x" * 81, ".hidden"])
def test_a_runs_name_is_a_plain_word(troop, repository, server, name):
    code, _, errors = troop.run(*solve_words(repository, server.base_url, "--name", name or "/"))
    assert (code, "cannot be a run's name" in errors) == (2, True)


def test_other_candidates_are_another_run(troop, repository, server):
    words = solve_words(repository, server.base_url)
    right = troop.finish(*words, "--patch-only")
    with troop.reader() as reader:
        (row,) = view(reader, "instances")
    file = troop.folder / "theirs.json"
    file.write_text(
        json.dumps({row["instance_id"]: {"instance_id": row["instance_id"], "model_patch": right}})
    )
    troop.finish(*words, "--candidates", str(file))
    file.write_text(json.dumps({"other": {"instance_id": "other", "model_patch": right}}))
    code, _, errors = troop.run(*words, "--candidates", str(file))
    assert code == 0
    assert "None of the --candidates is for these instances." in errors
    with troop.reader() as reader:
        assert len(view(reader, "runs")) == 3


def test_an_output_that_cannot_be_written_is_reported_before_work_begins(troop, repository, server):
    words = solve_words(repository, server.base_url, "-o", str(troop.folder))
    code, _, errors = troop.run(*words)
    assert (code, "is a folder" in errors, server.requests) == (2, True, [])


@pytest.mark.parametrize("place", ["/proc/x.patch", "/proc/deep/x.patch", "issue.md", "issue.md/x"])
def test_an_output_that_cannot_be_written_costs_no_call(troop, repository, server, place):
    code, output, errors = troop.run(*solve_words(repository, server.base_url, "-o", place))
    assert (code in {2, 5}, output, server.requests) == (True, "", [])
    assert place in errors
    assert "Traceback" not in errors
    assert (troop.folder / "issue.md").read_text() == scripted_model.ISSUE


def test_a_patch_that_does_not_fit_on_the_disk_is_in_the_database(troop, repository, server):
    words = solve_words(repository, server.base_url, "--name", "run", "-o", "/dev/full")
    code, _, errors = troop.run(*words)
    assert code == 5
    assert "/dev/full cannot be written: No space left on device." in errors
    command = errors.rpartition("The patch is in the database: troop ")[2].split("\n")[0]
    assert troop.finish(*command.split()).startswith("diff --git")


def test_a_patch_of_a_subfolder_says_where_it_belongs(troop, repository, server):
    words = solve_words(repository / "calc", server.base_url, "--patch-only")
    words[words.index("--issue") + 1] = str(troop.folder / "issue.md")
    _, output, errors = troop.run(*words)
    assert output.startswith("diff --git")
    assert f"git -C {repository} apply" in errors
    words[words.index("--repo") + 1] = str(repository)
    assert "git -C" not in troop.run(*words)[2]


def test_a_missing_model_is_reported(troop, repository):
    words = ["solve", "--repo", str(repository), "--issue", "issue.md", "--sandbox", "local"]
    code, _, errors = troop.run(*words)
    assert (code, "--model" in errors) == (2, True)


@pytest.mark.parametrize(
    ("answer", "told", "exit_code"),
    [
        (servers.refuse(401, "Incorrect API key provided: sk-1234567890"), "key", 4),
        (servers.refuse(404, "The model `mock` does not exist"), "mock", 4),
        (servers.html(), "web page", 4),
        (servers.refuse(500, "boom"), "boom", 4),
    ],
)
def test_a_server_that_cannot_be_used_is_reported_and_nothing_is_lost(
    troop, repository, answer, told, exit_code
):
    """It breaks in the middle: what came before is stored, and the run goes on with a good one."""
    asked = []

    def breaking(body: dict) -> object:
        asked.append(body)
        return scripted_model.answer(body) if len(asked) <= 4 else answer

    with ModelServer(breaking) as server:
        words = solve_words(repository, server.base_url, "--set", "model.retry_budget_s=0.5")
        code, _, errors = troop.run(*words)
    assert code == exit_code, errors
    assert told in errors
    assert "sk-1234567890" not in errors
    with troop.reader() as reader:
        assert len({row["call"] for row in view(reader, "turns")}) == 4
    nothing_lost(troop, repository)


def test_a_server_that_is_down_is_reported_at_once(troop, repository):
    patient = ("--set", f"model.retry_budget_s={10 * HANG_S}")  # it hangs if it tries again
    code, _, errors = troop.run(*solve_words(repository, "http://127.0.0.1:9/v1", *patient))
    assert code == 4
    assert "127.0.0.1:9" in errors
    with troop.reader() as reader:
        assert [run["status"] for run in view(reader, "runs")] == ["failed"]
    nothing_lost(troop, repository)


def test_an_unknown_model_is_reported_before_work_begins(troop, repository):
    with ModelServer(scripted_model.answer, models=["qwen"]) as server:
        code, _, errors = troop.run(*solve_words(repository, server.base_url))
        assert server.requests == []
    assert code == 4
    assert "qwen" in errors


def test_empty_and_cut_replies_are_outcomes_and_no_patch_is_exit_code_1(troop, repository):
    def useless(body: dict) -> object:
        if "# The file\n" in body["messages"][1]["content"]:
            return servers.Raw(servers.completion([]))
        return servers.Raw(servers.completion(["<test_script>\nprint("], finish="length"))

    with ModelServer(useless) as server:
        code, _, errors = troop.run(*solve_words(repository, server.base_url, "--samples", "2"))
    assert code == 1
    assert "No patch came out. How samples ended: 2 no edit." in errors


def test_a_conversation_too_long_ends_its_sample(troop, repository):
    def short_of_memory(body: dict) -> object:
        if "# Your task: " in body["messages"][1]["content"]:
            return servers.refuse(400, "This model's maximum context length is 10 tokens.")
        return scripted_model.answer(body)

    with ModelServer(short_of_memory) as server:
        code, _, errors = troop.run(*solve_words(repository, server.base_url))
    assert code == 1
    assert "context exceeded" in errors
    assert "--context-tokens" in errors


def test_the_key_is_sent_and_stored_nowhere(troop, repository, server):
    key = "sk-troop-secret-0123456789abcdef"
    troop.extra = {"OPENAI_API_KEY": key}
    output = troop.finish(*solve_words(repository, server.base_url))
    assert key not in output
    for file in troop.folder.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes(), file


def test_a_missing_engine_is_reported(troop):
    troop.extra = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    words = ["solve", "--dataset", dataset(troop, ROW), "--instance", ROW["instance_id"]]
    with ModelServer(scripted_model.answer) as server:
        code, _, errors = troop.run(*words, "--model", "mock", "--base-url", server.base_url)
    assert code == 3
    assert "Docker" in errors


@pytest.mark.docker
def test_a_missing_image_is_reported_and_other_instances_continue(troop):
    require_docker()
    rows = dataset(troop, ROW, ROW | {"instance_id": "calc__calc-2"})
    with ModelServer(scripted_model.answer) as server:
        words = ["run", "--dataset", rows, "--model", "mock", "--base-url", server.base_url]
        code, output, errors = troop.run(*words, "--set", "images.pull=never")
    assert code == 3
    assert "docker pull troop-tests/no-such-image:latest" in errors
    assert output.count("failed") >= 2


def test_a_file_that_is_not_a_database_is_reported(troop, repository):
    file = troop.folder / "notes.txt"
    file.write_text("not a database " * 100)
    for words in (
        solve_words(repository, "http://127.0.0.1:9/v1", "--db", str(file)),
        ["show", "--db", str(file)],
        ["sql", "--db", str(file), "SELECT 1"],
    ):
        code, _, errors = troop.run(*words)
        assert (code, "--db" in errors) == (5, True), errors


def test_a_newer_database_is_reported(troop, repository, server):
    troop.finish(*solve_words(repository, server.base_url))
    file = troop.folder / "data" / "troop" / "troop.db"
    with sqlite3.connect(file) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    code, _, errors = troop.run("show")
    assert code == 5
    assert "newer version" in errors


def test_a_database_that_does_not_exist_yet_is_reported(troop):
    code, _, errors = troop.run("show")
    assert code == 5
    assert "troop demo" in errors or "run something first" in errors


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_stops_a_run_and_the_same_command_continues_it(troop, repository, presses):
    with ModelServer(scripted_model.answer, delay_s=0.4) as server:
        words = solve_words(repository, server.base_url)
        process = troop.start(*words)
        eventually(lambda: len(server.requests) > 4)
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert "The same command continues" in errors
        with troop.reader() as reader:
            (row,) = view(reader, "instances")
            assert row["status"] == "interrupted"
            stored = len({turn["call"] for turn in view(reader, "turns")})
        if presses == 1:
            assert stored == len(server.requests)  # what was in flight was finished and stored
        troop.finish(*words)


def test_ctrl_c_does_not_wait_for_retries(troop, repository):
    def failing(body: dict) -> object:
        asked = len(server.requests)
        return scripted_model.answer(body) if asked <= 4 else later

    later = servers.retry_after(f"{10 * HANG_S:.0f}")
    patient = ("--set", f"model.retry_budget_s={20 * HANG_S}")
    with ModelServer(failing) as server:
        process = troop.start(*solve_words(repository, server.base_url, *patient))
        eventually(lambda: len(server.requests) > 4)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=HANG_S)  # far less than a wait
        assert process.returncode == 130, errors
    nothing_lost(troop, repository)


def test_an_instance_that_another_worker_holds_is_not_touched(troop, repository):
    with ModelServer(scripted_model.answer, delay_s=0.5) as server:
        words = solve_words(repository, server.base_url)
        first = troop.start(*words)
        eventually(lambda: len(server.requests) > 1)
        code, _, errors = troop.run(*words)
        assert code == 5
        assert f"being worked on by another process: pid {first.pid} on " in errors
        assert "--take-over" in errors
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    nothing_lost(troop, repository)


def test_old_names_of_settings_are_noted(troop, repository):
    words = solve_words(repository, "http://127.0.0.1:9/v1", "--set", "engine.instances=2")
    _, _, errors = troop.run(*words, "--set", "model.retry_budget_s=0")
    assert errors.startswith("engine.instances is now batch.instances\n")
