"""Several processes on one run: they share it, and take over what one of them leaves.

The command is the real one, in processes of its own, on a real HTTP server and the local sandbox.
"""

from __future__ import annotations

import os
import signal
import threading

import pytest

from runs.store.registry import Status
from tests.support import scripted_model
from tests.support.command import Command, calc_repository
from tests.support.model_server import HANG, ModelServer
from tests.support.views import view
from tests.support.waiting import eventually

INSTANCES = 3
"""Each has one request until the first is answered."""
LONG_S = 300
LEASE = ["--set", "batch.lease_s=3"]


@pytest.fixture
def troop(tmp_path):
    command = Command(tmp_path)
    repository = calc_repository(tmp_path)
    command.program = ("tests.support.many_issues", str(repository), "3")
    return command


@pytest.fixture
def gate():
    """Until it is set, the model says nothing."""
    return threading.Event()


@pytest.fixture
def server(gate):
    def answer(body: dict):
        return scripted_model.answer(body) if gate.is_set() else HANG

    with ModelServer(answer) as running:
        yield running


def words(server: ModelServer, *more: str) -> list[str]:
    own = ["run", "--dataset", "d", "--name", "r", "--sandbox", "local", "--samples", "2"]
    return [*own, "--model", "mock", "--base-url", server.base_url, *LEASE, *more]


def wait_for_requests(server: ModelServer, count: int) -> None:
    eventually(lambda: len(server.requests) >= count)


def read_until(process, sign: str) -> str:
    """The line of standard error that has it."""
    return next(line for line in process.stderr if sign in line)


def nothing_left(troop: Command, processes: int) -> None:
    with troop.reader() as reader:
        assert reader.run("r").status is Status.FINISHED
        workers = view(reader, "workers")
        assert len(workers) == processes
        assert all(row["ended_at"] for row in workers)
        there = view(reader, "instances")
        assert [(row["status"], row["worker"]) for row in there] == [("patched", None)] * 3


def calls(troop: Command) -> int:
    with troop.reader() as reader:
        return reader.run("r").calls


def test_two_processes_share_a_run_and_pay_for_nothing_twice(troop, server, gate):
    gate.set()
    started = [troop.start(*words(server, "--parallel", "1")) for _ in range(2)]
    for process in started:
        output, errors = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, errors
        assert "3 of 3 instances patched" in output  # of the whole run
    assert len(server.requests) == calls(troop)
    nothing_left(troop, 2)


def test_a_waiting_worker_takes_over_from_a_killed_one(troop, server, gate):
    first = troop.start(*words(server))
    wait_for_requests(server, INSTANCES)
    second = troop.start(*words(server))
    told = read_until(second, "Waiting for 3 instances")
    assert f"pid {first.pid} on " in told
    gate.set()
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    output, errors = second.communicate(timeout=LONG_S)
    assert second.returncode == 0, errors
    assert "3 of 3 instances patched" in output
    assert "Waiting" not in errors  # it is said once
    nothing_left(troop, 2)


def test_a_suspended_worker_that_was_taken_over_says_so_and_pays_little(troop, server, gate):
    first = troop.start(*words(server))
    wait_for_requests(server, INSTANCES)
    os.killpg(first.pid, signal.SIGSTOP)
    asked = len(server.requests)
    gate.set()
    troop.finish(*words(server, "--take-over"))
    stored = calls(troop)
    assert len(server.requests) - stored == asked  # what was in flight
    os.killpg(first.pid, signal.SIGCONT)
    output, errors = first.communicate(timeout=LONG_S)
    assert first.returncode == 0, errors
    assert "3 of 3 instances patched" in output
    assert "This process no longer holds" in errors
    assert calls(troop) == stored  # nothing was written by the loser
    assert len(server.requests) - stored == asked  # and nothing was asked by it again
    nothing_left(troop, 2)
