"""What the doctor makes of facts, and how its checks are run."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from agent.model import Choice, Finish, Response, ServerFacts, Usage
from data.errors import StoreError, UsageError
from runs.doctor.check import Check, Mark, bad, examine, exit_code, fine, less
from runs.doctor.host import Host, Terminal, about_git, about_host, about_terminal
from runs.doctor.images import about_images, take_stock, whole_name
from runs.doctor.kernel import CONTROLLERS, NAMESPACES, Kernel, about_kernel, about_local
from runs.doctor.leftovers import about_containers, about_unused, count
from runs.doctor.model import ServerAnswer, about_completion, about_context, about_server
from runs.doctor.warm import about_warm, image_to_try
from runs.run.config import load_config
from sandbox.docker.engine import StoredContainer, StoredImage
from sandbox.docker.engine.labels import container_labels
from sandbox.docker.images.eviction import Removable
from sandbox.local.isolation import Isolation
from sandbox.owner import this_process
from tests.support.engine_infos import (
    DESKTOP,
    DOCKER_28,
    facts,
)
from tests.support.waiting import HANG_S

GB = 10**9

# Warm containers, images, leftovers


def image(name: str, **changes: object) -> StoredImage:
    plain = StoredImage(id=name, tags=(name,), parent="", size=GB, created=0, labels={})
    return replace(plain, **changes)


def test_warm_containers_work_or_it_is_said_what_their_lack_costs():
    assert about_warm("", "x:latest").mark is Mark.FINE
    found = about_warm("The engine refuses mounts.", "x:latest")
    assert found.mark is Mark.LESS
    assert "The engine refuses mounts; each execution gets a new container" in found.text
    assert "0.4 s" in found.text


def test_warm_containers_are_tried_in_an_image_that_matters():
    own, bench, other = image("troop/host-python:1"), image("sweb.eval.x:latest"), image("a:latest")
    assert image_to_try([own, bench, other], ["b", "a", None]) == "a"
    assert image_to_try([own, bench, other], ["b"]) == "sweb.eval.x:latest"
    assert image_to_try([other, own], []) == "troop/host-python:1"
    assert image_to_try([other], []) == ""


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("python", "python:latest"),
        ("docker.io/library/python:3.12", "python:3.12"),
        ("localhost/troop/prepared:1", "troop/prepared:1"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
        ("a/b@sha256:00", "a/b@sha256:00"),
    ],
)
def test_image_names_are_compared_whole(name, whole):
    assert whole_name(name) == whole


def test_images_of_a_dataset_are_here_or_to_be_pulled():
    names = ["swebench/a", "swebench/a", *(f"swebench/missing-{n}" for n in range(12)), None]
    stock = take_stock(names, [image("swebench/a:latest"), image("other:latest")])
    assert (stock.instances, dict(stock.here), len(stock.missing)) == (15, {"swebench/a": GB}, 12)
    (found,) = about_images(stock, facts(DOCKER_28))
    assert found.mark is Mark.LESS
    assert "15 instances, 13 images: 1 here (1.0 GB" in found.text
    assert "swebench/missing-9 and 2 more" in found.text
    assert "swebench/missing-10" not in found.text
    assert "docker pull swebench/missing-0" in found.hint
    (found,) = about_images(take_stock(["a"], [image("a:latest")]), facts(DOCKER_28))
    assert found.mark is Mark.FINE


def test_images_of_another_machine_are_noticed():
    name = "swebench/sweb.eval.x86_64.a_1776_b-1:latest"
    stock = take_stock([name], [image(name)])
    assert [each.mark for each in about_images(stock, facts(DOCKER_28))] == [Mark.FINE]
    found = about_images(stock, facts(DESKTOP))
    assert found[-1].name == "images.machine"
    assert "arm64" in found[-1].text


def test_leftovers_are_those_of_the_dead():
    me = this_process()
    other = replace(me, host="other", boot="b")
    owners = [me, replace(me, start="1"), other, replace(other, pid=7)]
    containers = [
        StoredContainer(str(n), "", "", 0.0, container_labels(owner, "r", "i"))
        for n, owner in enumerate(owners)
    ]
    left = count(containers, me)
    assert (left.living, left.dead) == (2, 1)
    found = about_containers(left)
    assert found.mark is Mark.LESS
    assert "troop gc" in found.hint
    assert about_containers(count([], me)).mark is Mark.FINE


def test_images_of_another_troop_are_counted_apart_and_not_recommended():
    def unused(kind, size):
        return Removable(f"sha256:{kind}{size}", (), kind, size, 0.0)

    ours = [unused("prepared", 200_000_000), unused("prepared", 10_000_000), unused("pulled", 7e9)]
    theirs = [unused("prepared", 10_600_000_000)]
    text = about_unused(ours, theirs).text
    assert "2 prepared (210 MB), 1 pulled (7.0 GB); " in text
    assert "1 (10.6 GB), made by another user or an older Troop, stay" in text
    assert "gc --images" not in about_unused([], theirs).text
    assert about_unused([], []).text.endswith("none")


# This machine

KERNEL = Kernel("6.8.0", True, {*NAMESPACES, "user"}, True, 2, {*CONTROLLERS, "io"})


@pytest.mark.parametrize(
    ("kernel", "marks", "words"),
    [
        (KERNEL, ["fine", "fine"], "cgroup v2 with cpu, memory, pids"),
        (replace(KERNEL, overlay=False), ["less", "fine"], "modprobe overlay"),
        (replace(KERNEL, namespaces={"mnt"}), ["less", "fine"], "pid namespaces"),
        (replace(KERNEL, seccomp=False), ["less", "fine"], "seccomp"),
        (replace(KERNEL, controllers={"memory"}), ["fine", "less"], "without cpu, pids"),
        (replace(KERNEL, cgroups=0), ["fine", "less"], "no cgroups"),
    ],
)
def test_what_a_kernel_lacks_is_named(kernel, marks, words):
    found = about_kernel(kernel)
    assert [each.mark for each in found] == marks
    assert words in " ".join(each.text + each.hint for each in found)


def test_the_machine_git_and_the_terminal():
    assert about_host(Host("3.12.1", "linux", "Linux-6")).mark is Mark.FINE
    assert "WSL" in about_host(Host("3.12.1", "win32", "Windows-11")).hint
    assert about_git("git version 2.39.5 (Apple Git-154)").mark is Mark.FINE
    for says in (None, "git version 2.25.1", "xcode-select: error"):
        assert (about_git(says).mark, about_git(says).code) == (Mark.BAD, 1)
    assert about_terminal(Terminal(True, "utf-8", 120)).mark is Mark.FINE
    assert about_terminal(Terminal(False, "UTF-8", 40)).mark is Mark.FINE
    assert "folded" in about_terminal(Terminal(True, "utf8", 79)).text
    assert "UTF" in about_terminal(Terminal(True, "ANSI_X3.4-1968", 120)).hint
    marks = [about_local(kind).mark for kind in (Isolation.ROOT, Isolation.USER, Isolation.NONE)]
    assert marks == [Mark.FINE, Mark.FINE, Mark.LESS]


# The model


def test_a_server_is_described_in_words():
    known = ServerFacts(("m",), 32_768)
    assert about_server(ServerAnswer("m", known, 0.1)).mark is Mark.FINE
    assert "slow" in about_server(ServerAnswer("m", known, 9.0)).text
    assert "--call" in about_server(ServerAnswer("m", ServerFacts(), 0.1)).hint
    config = load_config(None, {"context.tokens": 20_000, "samples.editing_max_tokens": 4000})
    assert about_context(known, config).mark is Mark.FINE
    assert "--context-tokens 8384" in about_context(ServerFacts(("m",), 16_384), config).hint
    assert about_context(ServerFacts(("m",)), config).mark is Mark.UNKNOWN
    response = Response((Choice("yes", Finish.STOP),), Usage(9, 1), 0.5)
    assert about_completion(response).text == "a reply took 0.50 s: 9 tokens read, 1 written"
    assert about_completion(replace(response, usage=None)).mark is Mark.LESS


# Running checks


def test_a_check_that_fails_or_hangs_is_a_finding_and_the_others_continue():
    released, late = threading.Event(), []

    def crash():
        raise KeyError("x\ny")

    def refuse():
        raise StoreError("no", hint="do")

    def misuse():
        raise UsageError("bad flag")

    def hang():
        late.append(released.wait(HANG_S))
        return [fine("late", "late")]

    def slow():
        time.sleep(0.2)
        return [fine("slow", "slow")]

    checks = [
        Check("hangs", hang, limit_s=0.5),
        Check("crashes", crash),
        Check("slow", slow, limit_s=HANG_S),
        Check("slow", slow, limit_s=HANG_S),
        Check("refuses", refuse, code=3),
        Check("misused", misuse),
    ]
    found = examine(checks)
    assert not late  # it was left, not waited for
    released.set()
    names = ["hangs", "crashes", "slow", "slow", "refuses", "misused"]
    assert [each.name for each in found] == names
    assert [each.mark for each in found] == ["less", "less", "fine", "fine", "bad", "bad"]
    assert "0.5 s" in found[0].text
    assert "KeyError: 'x\\ny'" in found[1].text
    assert (found[4].text, found[4].hint, found[4].code) == ("no", "do", 5)
    assert found[5].code == 1


def test_the_exit_code_is_that_of_the_worst():
    assert exit_code([]) == 0
    assert exit_code([fine("a", ""), less("b", "")]) == 0
    assert exit_code([bad("a", "", ""), bad("b", "", "", 4), bad("c", "", "", 3)]) == 4
