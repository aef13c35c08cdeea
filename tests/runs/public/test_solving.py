"""`import troop`: solving and reading from a program."""

from __future__ import annotations

import asyncio
import pickle
import signal
import subprocess
import sys
import threading

import pytest

import troop
from tests.support import scripted_model
from tests.support.command import calc_repository
from tests.support.model_server import ModelServer
from tests.support.pages import blocks
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

PAGE = "docs/api.md"


@pytest.fixture
def server():
    with ModelServer(scripted_model.answer) as running:
        yield running


@pytest.fixture
def repository(tmp_path):
    return calc_repository(tmp_path)


@pytest.fixture
def asked(tmp_path, repository, server):
    """Arguments of `troop.solve`."""
    return {
        "issue": scripted_model.ISSUE,
        "repo": repository,
        "model": "mock",
        "base_url": server.base_url,
        "samples": 4,
        "sandbox": "local",
        "database": tmp_path / "troop.db",
        "settings": {"samples.editing_turns": 3},
    }


def first_request(server: ModelServer) -> None:
    """Wait until a model was asked something."""
    eventually(lambda: server.requests)


class Told(troop.Quiet):
    def __init__(self):
        self.told = []
        self.handler = None

    def note(self, message):
        self.told.append(message)

    def ended(self, instance_id, status, error):
        self.handler = signal.getsignal(signal.SIGTERM)


def test_the_example_of_the_page_runs_as_it_stands(tmp_path, repository):
    script = tmp_path / "repair.py"
    script.write_text(blocks(PAGE)[0])
    with ModelServer(scripted_model.answer, models=["qwen3-coder"]) as server:
        done = subprocess.run(
            [sys.executable, script, repository, tmp_path / "issue.md", server.base_url],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("diff --git a/calc/ops.py")
    assert "candidate 1, by samples (" in done.stdout
    assert "test 1: pass" in done.stdout
    assert not done.stderr
    reading = "import troop\n" + blocks(PAGE)[2]
    read = subprocess.run(
        [sys.executable, "-c", reading], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert read.stdout.startswith("calc-qwen3-coder-1 calc-")


def test_it_is_silent_and_asks_nothing_twice(asked, server, capfd):
    repair = troop.solve(**asked)
    asks = len(server.requests)
    again = troop.solve(**asked)
    assert "if ordered else" in repair.patch
    assert repair.patched
    assert repair.reason is troop.Reason.SELECTION
    assert again == repair
    assert len(server.requests) == asks
    assert capfd.readouterr() == ("", "")


def test_an_issue_may_be_a_file_or_an_instance(asked, repository):
    from_text = troop.solve(**asked)
    file = repository.parent / "issue.md"
    from_file = troop.solve(**asked | {"issue": file})
    whole = from_file.story.whole
    assert isinstance(whole, troop.Instance)
    from_instance = troop.solve(**asked | {"issue": whole, "repo": None})
    assert from_text == from_file == from_instance


def test_a_display_is_called_for_what_happens(asked):
    display = Told()
    zero = {"engine.executions": 2, "samples.editing_turns": 3}
    troop.solve(**asked | {"display": display, "settings": zero})
    told = "\n".join(display.told)
    assert "engine.executions is now batch.executions" in told
    assert "The repository is in Python (going by its files" in told
    assert "Scripts run in:" in told


def test_signal_handlers_are_the_callers(asked):
    display = Told()
    before = signal.getsignal(signal.SIGTERM)
    troop.solve(**asked | {"display": display})
    assert display.handler is before


def test_it_works_in_any_thread(asked):
    found = []
    thread = threading.Thread(target=lambda: found.append(troop.solve(**asked)))
    thread.start()
    thread.join()
    assert found[0].patched


async def test_in_an_event_loop_it_is_awaited(asked):
    with pytest.raises(troop.UsageError, match="an event loop is running here"):
        troop.solve(**asked)
    other = asked | {"issue": f"{scripted_model.ISSUE} Do it."}
    both = await asyncio.gather(troop.solve_async(**asked), troop.solve_async(**other))
    assert all(repair.patched for repair in both)
    assert both[0].instance_id != both[1].instance_id


async def test_cancelled_work_continues_later(asked):
    with ModelServer(scripted_model.answer, delay_s=0.2) as slow:
        task = asyncio.create_task(troop.solve_async(**asked | {"base_url": slow.base_url}))
        await asyncio.to_thread(first_request, slow)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with troop.Reader(asked["database"]) as reader:
        assert reader.run(None).status is troop.Status.INTERRUPTED
    repair = await troop.solve_async(**asked)
    assert repair.patched
    assert repair.run == "calc-mock-1"


def test_ctrl_c_ends_a_program(asked, tmp_path):
    arguments = tmp_path / "arguments.pickle"
    code = "import pickle, sys, troop; troop.solve(**pickle.load(open(sys.argv[1], 'rb')))"
    with ModelServer(scripted_model.answer, delay_s=0.2) as slow:
        arguments.write_bytes(pickle.dumps(asked | {"base_url": slow.base_url}))
        program = subprocess.Popen(
            [sys.executable, "-c", code, arguments],
            stderr=subprocess.PIPE,
            # A suite that was begun in the background would hand down that it is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        first_request(slow)
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=60)
    assert errors.rstrip().endswith(b"KeyboardInterrupt"), program.returncode
    assert troop.solve(**asked).patched


def test_errors_say_what_to_do(asked, repository):
    with pytest.raises(troop.UsageError, match="No repository is given") as failed:
        troop.solve(**asked | {"repo": None})
    assert pickle.loads(pickle.dumps(failed.value)).hint == failed.value.hint != ""
    with pytest.raises(troop.UsageError, match="did you mean batch"):
        troop.solve(**asked | {"settings": {"batch.sandbocks": "local"}})
    with pytest.raises(troop.ModelError):
        troop.solve(
            **asked | {"base_url": "http://127.0.0.1:9/v1", "settings": {"model.retry_budget_s": 0}}
        )
    (repository / "calc" / "ops.py").write_text("changed = True\n")
    with pytest.raises(troop.UsageError, match="not committed"):
        troop.solve(**asked)


def test_everything_that_is_read_can_be_pickled(asked):
    story = troop.solve(**asked).story
    parts = {
        name: getattr(story, name)
        for name in (
            *("run", "instance", "whole", "samples", "candidates", "tests", "votes", "matrix"),
            *("regression_files", "trajectories", "conversations", "calls", "executions"),
        )
    }
    assert pickle.loads(pickle.dumps(parts)) == parts


def test_a_user_can_register_a_selector(asked):
    exec(blocks(PAGE)[-1], {"troop": troop})
    try:
        story = troop.solve(**asked | {"settings": {"selection.selector": "smallest"}}).story
    finally:
        del troop.SELECTORS["smallest"]
    chosen = next(candidate for candidate in story.candidates if candidate.chosen)
    assert len(story.candidates) > 1
    assert chosen.size == min(candidate.size for candidate in story.candidates)


def test_all_that_is_public_is_there():
    assert sorted(set(troop.__all__)) == sorted(troop.__all__)
    assert set(troop.__all__) <= set(dir(troop))
    for name in troop.__all__:
        assert getattr(troop, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = troop.nonsense


def test_importing_it_is_quick():
    code = "import sys; before = set(sys.modules); import troop; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["troop"]
