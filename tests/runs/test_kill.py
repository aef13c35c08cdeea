"""Kill -9 at any moment loses nothing, and no stored reply is asked for again.

The command is the real one, in a process of its own, on the real model client,
a real HTTP server in another process, and the local sandbox.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from runs.store.database import sqlite_url
from runs.store.reading import Reader
from tests.support import scripted_model

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("TROOP_KILLS", "4"))
"""How often a run is killed; the figures in the notes were taken with 20."""


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "calc"
    for path, text in scripted_model.FILES.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (tmp_path / "issue.md").write_text(scripted_model.ISSUE)
    return folder


@pytest.fixture
def server(tmp_path):
    log = tmp_path / "server.log"
    script = ROOT / "tests" / "support" / "scripted_model.py"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.model_server", "--port", "0", "--log", str(log)]
        + ["--script", str(script), "--delay", "0.05"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1], log
    process.kill()
    process.communicate()


def environment(folder: Path) -> dict[str, str]:
    folders = {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_DATA_HOME": str(folder / "data")}
    return os.environ | folders | {"PYTHONPATH": str(ROOT)}


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runs", *words],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(folder: Path, *words: str) -> str:
    process = start(folder, *words)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def kill_once(folder: Path, after_s: float, *words: str) -> None:
    """Start the command and kill it and its children after a while."""
    process = start(folder, *words)
    time.sleep(after_s)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def solve(repository: Path, url: str, name: str) -> list[str]:
    settings = ["--samples", "4", "--set", "samples.editing_turns=3", "--sandbox", "local"]
    words = ["solve", "--repo", str(repository), "--issue", str(repository.parent / "issue.md")]
    return [*words, "--model", "mock", "--base-url", url, "--name", name, *settings]


def outcome(folder: Path, run: str) -> dict:
    """What a run came to, without clocks and row numbers."""
    with Reader(sqlite_url(folder / "data" / "troop" / "troop.db")) as reader:
        row = reader.instance(run, None)
        views = {
            "samples": ("sample", "outcome", "test", "candidate", "diff", "script"),
            "candidates": ("candidate", "place", "chosen", "paper_votes", "samples", "diff"),
            "votes": ("candidate", "test", "verdict"),
            "turns": ("trajectory", "turn", "reply"),
            "executions": ("script", "diff", "exit_code"),
        }
        found = {
            view: sorted(tuple(str(r[c]) for c in columns) for r in reader.view(view, run=run))
            for view, columns in views.items()
        }
        return found | {key: row[key] for key in ("status", "chosen", "reason", "patch")}


def stored_requests(folder: Path, run: str) -> Counter[str]:
    """What the database holds replies to, labelled as the server's log labels requests."""
    labels = {}
    with Reader(sqlite_url(folder / "data" / "troop" / "troop.db")) as reader:
        for row in reader.view("trajectories", run=run):
            talk = reader.conversation(run, row["instance_id"], row["trajectory"])
            said = [talk.system]
            for turn in talk.turns:
                said.append(("" if turn.row["turn"] else talk.prefix) + turn.prompt)
                labels[turn.row["call"]] = repr(said)
                said.append(turn.reply)
    return Counter(labels.values())


def test_a_killed_solve_comes_to_the_same_result_and_pays_no_reply_twice(
    tmp_path, repository, server
):
    url, log = server
    began = time.monotonic()
    finish(tmp_path, *solve(repository, url, "undisturbed"))
    seconds = time.monotonic() - began
    final = stored_requests(tmp_path, "undisturbed")
    lines = len(log.read_text().splitlines())
    assert lines == final.total()

    words, chance = solve(repository, url, "killed"), random.Random(KILLS)
    stored: Counter[str] = Counter()
    for _ in range(KILLS):
        kill_once(tmp_path, chance.uniform(seconds / 4, seconds), *words)
        lines = check_asked(log, lines, stored, final)
        stored = stored_requests(tmp_path, "killed")
    finish(tmp_path, *words)
    check_asked(log, lines, stored, final)
    assert outcome(tmp_path, "killed") == outcome(tmp_path, "undisturbed")
    assert stored_requests(tmp_path, "killed") == final


def check_asked(log: Path, lines: int, stored: Counter[str], final: Counter[str]) -> int:
    """Nothing that was stored may be among the requests since line `lines` of the server's log."""
    asked = [json.loads(line)["label"] for line in log.read_text().splitlines()]
    again = Counter(asked[lines:]) - (final - stored)
    assert not again, f"asked for again: {again}"
    return len(asked)


def test_a_killed_demo_comes_to_the_same_result(tmp_path):
    words = ["demo", "--sandbox", "local"]
    began = time.monotonic()
    finish(tmp_path, *words)
    seconds = time.monotonic() - began
    undisturbed = outcome(tmp_path, "demo-recorded-1")
    chance = random.Random(KILLS)
    for _ in range(KILLS):
        kill_once(tmp_path, chance.uniform(seconds / 4, seconds), *words)
    finish(tmp_path, *words)
    with Reader(sqlite_url(tmp_path / "data" / "troop" / "troop.db")) as reader:
        finished = [r["run"] for r in reader.view("runs") if r["status"] == "finished"]
    assert len(finished) > 1
    for run in finished:
        assert outcome(tmp_path, run) == undisturbed
