"""Ctrl-C and SIGTERM at any moment of a command: words, an exit code, and never a traceback."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer, Raw
from tests.support.waiting import HANG_S, eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def troop(tmp_path):
    return Command(tmp_path)


def answers_signals(pid: int) -> bool:
    """Whether the process has a handler of its own, which Python alone has not for SIGTERM."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def press(process, number: int = signal.SIGINT) -> None:
    """Send a signal again and again until the process has ended.

    Those that come faster than they are answered count as one, so no number of them would do.
    """

    def gone() -> bool:
        process.send_signal(number)
        return process.poll() is not None

    eventually(gone)


def ended(process, code: int) -> str:
    """What it said on standard error; it must end long before a call's 600 s, and in words."""
    _, errors = process.communicate(timeout=HANG_S)
    assert as_shells_have_it(process) == code, errors
    assert "Traceback" not in errors
    return errors


def as_shells_have_it(process) -> int:
    """Its exit code; a signal in the last moments of Python itself kills it, which is as good."""
    code = process.returncode
    return code if code >= 0 else 128 - code


@pytest.fixture
def silent(troop):
    """A solve whose model takes questions and never answers."""
    with ModelServer(lambda _: Raw(hang=True)) as server:
        words = solve_words(calc_repository(troop.folder), server.base_url)

        def start(*more: str):
            process = troop.start(*words, *more)
            eventually(lambda: server.requests)
            return process

        yield start


def test_sigterm_waits_for_a_stated_time_only(silent):
    process = silent("--set", "batch.stop_s=1")
    process.send_signal(signal.SIGTERM)
    errors = ended(process, 143)
    assert "call" in errors.split("Stopping: waiting for ")[1]
    assert "at most 1 s" in errors
    assert "lost. The server may charge" in errors
    assert "The same command" in errors


def test_ctrl_c_says_what_it_waits_for_and_the_second_stops_at_once(silent):
    process = silent()
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None
    press(process)
    errors = ended(process, 130)
    assert "at most 600 s" in errors
    assert re.search(r"Stopp(ing|ed) at once[.:]", errors)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_many_in_a_row_end_it(silent, number):
    process = silent()
    press(process, number)
    ended(process, 128 + number)


def test_before_work_begins_the_first_stops(troop):
    with ModelServer(scripted_model.answer, models=Raw(hang=True)) as server:
        process = troop.start(*solve_words(calc_repository(troop.folder), server.base_url))
        eventually(lambda: server.seen)
        process.send_signal(signal.SIGINT)
        ended(process, 130)


def test_while_the_database_is_locked(troop):
    repository = calc_repository(troop.folder)
    database = troop.folder / "held.db"
    troop.run("show", "--db", str(database))
    words = solve_words(repository, "http://127.0.0.1:9/v1", "--set", "model.retry_budget_s=0")
    troop.run(*words, "--db", str(database))
    with sqlite3.connect(database, isolation_level=None) as held:
        held.execute("BEGIN EXCLUSIVE")
        process = troop.start(*words, "--db", str(database))
        eventually(lambda: answers_signals(process.pid))
        time.sleep(2)
        press(process)
        ended(process, 130)


@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.5, 1.0, 2.0])
def test_at_any_moment_of_a_short_command(troop, after_s):
    process = troop.start("demo", "--sandbox", "local", "--no-wait")
    eventually(lambda: answers_signals(process.pid))
    time.sleep(after_s)
    press(process)
    _, errors = process.communicate(timeout=HANG_S)
    assert as_shells_have_it(process) in {0, 130}, errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_comes_when_the_listener_to_the_first_is_gone_ends_it_at_once(number):
    program = f"""
from runs.run.signals import answered, listening
from signal import raise_signal
with answered():
    with listening(lambda number: None):
        raise_signal({int(number)})
    raise_signal({int(number)})
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr
    assert "Stopped at once" in done.stderr
