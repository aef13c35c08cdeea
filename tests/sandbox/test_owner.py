"""An owner is dead only where that is proved."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from sandbox.owner import Owner, is_dead, start_time, this_process

ME = Owner("host1", "boot1", "ns1", 10, "100")


def gone() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_this_process_lives() -> None:
    me = this_process()
    assert me.pid == os.getpid()
    assert not is_dead(str(me), me.place, me)
    assert str(me).count(":") == 2


def test_another_start_time_is_another_process() -> None:
    me = this_process()
    assert is_dead(str(replace(me, start="1")), me.place, me)


@pytest.mark.slow
def test_a_process_that_ended_is_dead() -> None:
    me = this_process()
    assert is_dead(str(replace(me, pid=gone())), me.place, me)


@pytest.mark.slow
def test_a_zombie_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(process.pid) is None
    process.communicate()


@pytest.mark.parametrize(
    ("owner", "dead"),
    [
        (replace(ME, boot="boot0"), True),  # the machine was started again
        (replace(ME, boot="boot0", namespace="ns2"), True),
        (replace(ME, boot="boot0", host="host2"), False),  # another machine
        (replace(ME, host="host2", pid=0, start="7"), True),  # same boot: the machine is the same
        (replace(ME, namespace="ns2", pid=0), False),  # a container's own process ids
        (replace(ME, boot="-", pid=0), False),
        (replace(ME, boot="boot0", host="-"), False),
        (replace(ME, boot=""), False),
    ],
)
def test_in_doubt_it_lives(owner: Owner, dead: bool) -> None:
    assert is_dead(str(owner), owner.place, ME) is dead


def test_a_machine_without_an_identity_proves_nothing_of_earlier_boots() -> None:
    me = replace(ME, host="-")
    assert not is_dead("boot0:1:1", "-:ns1", me)


@pytest.mark.parametrize("label", ["", ":", "::", "a:b:c", "a:1", "boot1:-1:5", "x" * 50])
def test_a_label_that_cannot_be_read_is_left_alone(label: str) -> None:
    assert not is_dead(label, ME.place, ME)
    assert not is_dead(str(ME), "", replace(ME, boot="boot0"))
