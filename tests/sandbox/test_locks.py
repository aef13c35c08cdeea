from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from sandbox.locks import held, tried
from sandbox.supervise import Stop, Stopped
from tests.support.command import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOLDING = """\
import pathlib, sys, time
from sandbox.locks import held
from sandbox.supervise import Stop
with held(pathlib.Path(sys.argv[1]), Stop()):
    print("held", flush=True)
    time.sleep(600)
"""


def free(lock: Path) -> bool:
    with tried(lock) as why_not:
        return why_not is None


@pytest.mark.slow
def test_a_lock_is_free_once_its_holder_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "folder/lock"
    words = [sys.executable, "-c", HOLDING, str(lock)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert not free(lock)
        holder.kill()
        with held(lock, Stop()):
            assert not free(lock)
    assert free(lock)


def test_threads_exclude_each_other(tmp_path: Path) -> None:
    inside, most = [0], []

    def work() -> None:
        for _ in range(10):
            with held(tmp_path / "lock", Stop()):
                inside[0] += 1
                most.append(inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 40


def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    stop = Stop()
    clock = threading.Timer(0.1, stop.give)
    with held(tmp_path / "lock", Stop()):
        clock.start()
        with pytest.raises(Stopped), held(tmp_path / "lock", stop):
            raise AssertionError("it was held twice")


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with tried(tmp_path / "file/lock") as why_not:
        assert isinstance(why_not, OSError)
    with held(tmp_path / "file/lock", Stop()):
        pass  # better than not to go on at all
