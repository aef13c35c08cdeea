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
from typing import TYPE_CHECKING

import pytest

from tests.support.command import ROOT, Command, calc_repository, solve_words
from tests.support.views import view

KILLS = int(os.environ.get("TROOP_KILLS", "4"))
"""How often a run is killed; the figures in the notes were taken with 20."""


if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def troop(tmp_path):
    return Command(tmp_path)


@pytest.fixture
def server(tmp_path):
    log = tmp_path / "server.log"
    script = ROOT / "tests" / "support" / "scripted_model.py"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.support.model_server"),
            *("--log", str(log), "--script", str(script), "--delay", "0.05"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1], log
    process.kill()
    process.communicate()


def kill_once(troop: Command, after_s: float, *words: str) -> None:
    """Start the command and kill it and its children after a while."""
    process = troop.start(*words)
    time.sleep(after_s)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def outcome(troop: Command, run: str) -> dict:
    """What a run came to, without clocks and row numbers."""
    with troop.reader() as reader:
        row = reader.instance(run, None)
        views = {
            "samples": ("sample", "outcome", "test", "candidate", "diff", "script"),
            "candidates": ("candidate", "place", "chosen", "paper_votes", "samples", "diff"),
            "votes": ("candidate", "test", "verdict", "output"),
            "turns": ("trajectory", "turn", "reply"),
        }
        found = {
            name: sorted(tuple(str(r[c]) for c in columns) for r in view(reader, name, run=run))
            for name, columns in views.items()
        }
        return found | {key: getattr(row, key) for key in ("status", "chosen", "reason", "patch")}


def stored_requests(troop: Command, run: str) -> Counter[str]:
    """What the database holds replies to, labelled as the server's log labels requests."""
    labels = {}
    with troop.reader() as reader:
        stories = [reader.story(instance) for instance in reader.instances(run)]
        for talk in (talk for story in stories for talk in story.conversations):
            said = [talk.system]
            for turn in talk.turns:
                said.append(("" if turn.record.number else talk.prefix) + turn.prompt)
                labels[turn.record.call.number] = repr(said)
                said.append(turn.reply)
    return Counter(labels.values())


def test_a_killed_solve_comes_to_the_same_result_and_pays_no_reply_twice(troop, server):
    url, log = server
    repository = calc_repository(troop.folder)
    began = time.monotonic()
    troop.finish(*solve_words(repository, url, "--name", "undisturbed"))
    seconds = time.monotonic() - began
    final = stored_requests(troop, "undisturbed")
    lines = len(log.read_text().splitlines())
    assert lines == final.total()

    words, chance = solve_words(repository, url, "--name", "killed"), random.Random(KILLS)
    stored: Counter[str] = Counter()
    for _ in range(KILLS):
        kill_once(troop, chance.uniform(seconds / 4, seconds), *words)
        lines = check_asked(log, lines, stored, final)
        stored = stored_requests(troop, "killed")
    troop.finish(*words)
    check_asked(log, lines, stored, final)
    assert outcome(troop, "killed") == outcome(troop, "undisturbed")
    assert stored_requests(troop, "killed") == final


def check_asked(log: Path, lines: int, stored: Counter[str], final: Counter[str]) -> int:
    """Nothing that was stored may be among the requests since line `lines` of the server's log."""
    asked = [json.loads(line)["label"] for line in log.read_text().splitlines()]
    again = Counter(asked[lines:]) - (final - stored)
    assert not again, f"asked for again: {again}"
    return len(asked)


def test_a_killed_demo_comes_to_the_same_result(troop):
    words = ["demo", "--sandbox", "local"]
    began = time.monotonic()
    troop.finish(*words)
    seconds = time.monotonic() - began
    undisturbed = outcome(troop, "demo-recorded-1")
    chance = random.Random(KILLS)
    for _ in range(KILLS):
        kill_once(troop, chance.uniform(seconds / 4, seconds), *words)
    troop.finish(*words)
    with troop.reader() as reader:
        finished = [r["run"] for r in view(reader, "runs") if r["status"] == "finished"]
    assert len(finished) > 1
    for run in finished:
        assert outcome(troop, run) == undisturbed
