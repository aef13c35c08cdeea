"""What the doctor makes of what engines say of themselves: of those that we have and of others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from data.errors import SandboxUnavailable
from runs.doctor.check import Mark
from runs.doctor.engine import about_engine, about_no_engine
from runs.doctor.room import FileSystem, Watermark, about_disk, about_slots, images_folder
from runs.doctor.shared import chosen_by, context_host
from sandbox.protocol import Limits
from tests.support.engine_infos import (
    DESKTOP,
    DOCKER_20,
    DOCKER_28,
    GVISOR,
    PODMAN,
    ROOTLESS,
    ROOTLESS_V1,
    facts,
)

GB = 10**9

# Engines

ENGINES = {
    # What is not fine, by name, with words that the line must have.
    "Docker 20.10, cgroup v1": (DOCKER_20, {}),
    "Docker 28, AppArmor": (
        DOCKER_28,
        {"engine.apparmor": ("less", "apparmor=unconfined", "seccomp", "no capabilities")},
    ),
    "rootless": (ROOTLESS, {"engine.limits": ("less", "processor time", "Delegate")}),
    "rootless, cgroup v1": (ROOTLESS_V1, {"engine.limits": ("less", "memory", "processes")}),
    "Desktop": (DESKTOP, {"engine.seccomp": ("less", "unconfined")}),
    "gVisor": (GVISOR, {"engine.apparmor": ("less",)}),
    "Podman": (PODMAN, {"engine": ("less", "Podman 5.4.2", "tested with Docker")}),
    "old": (DOCKER_20 | {"ServerVersion": "19.03.15"}, {"engine": ("less", "20.10 or newer")}),
    "Windows": (DOCKER_20 | {"OSType": "windows"}, {"engine": ("bad", "Linux")}),
    "vfs": (DOCKER_20 | {"Driver": "vfs"}, {"engine.storage": ("less", "copies")}),
    "fuse": (DOCKER_20 | {"Driver": "fuse-overlayfs"}, {"engine.storage": ("less", "overlay2")}),
    "xfs without d_type": (
        DOCKER_20 | {"DriverStatus": [["Supports d_type", "false"]]},
        {"engine.storage": ("less", "ftype=1")},
    ),
    "no swap limit": (
        DOCKER_20 | {"SwapLimit": False},
        {"engine.limits": ("less", "cannot limit swap", "swapaccount=1")},
    ),
    "no seccomp": (
        DOCKER_20 | {"SecurityOptions": None},
        {"engine.seccomp": ("less", "any system call")},
    ),
    "says little": (
        {key: DOCKER_20[key] for key in ("ServerVersion", "OSType", "Architecture")},
        {"engine.storage": ("less",), "engine.seccomp": ("less",)},
    ),
}


@pytest.mark.parametrize("name", ENGINES)
def test_problems_of_an_engine_are_reported_with_hints(name):
    info, expected = ENGINES[name]
    found = {each.name: each for each in about_engine(facts(info))}
    assert {n for n, each in found.items() if each.mark is not Mark.FINE} == set(expected)
    for which, (mark, *words) in expected.items():
        assert found[which].mark == mark
        assert found[which].hint
        for word in words:
            assert word in found[which].text + found[which].hint


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (DOCKER_20, ["Docker 20.10.24", "linux/amd64", "overlay2 on extfs", "cgroup v1, driver c"]),
        (DOCKER_20, ["no live-restore", "no AppArmor or SELinux", "no userns-remap"]),
        (DOCKER_28, ["cgroup v2, driver systemd", "profile builtin", "live-restore: containers"]),
        (ROOTLESS, ["rootless: root in a container is only you outside"]),
        (DESKTOP, ["Docker Desktop 28.3.2", "overlayfs of containerd", "virtual machine"]),
        (GVISOR, ["runsc, a stronger wall"]),
        (GVISOR | {"DefaultRuntime": "runc"}, ["runc; runsc would be a stronger wall"]),
        (PODMAN, ["SELinux", "runtime: crun"]),
        (DOCKER_28 | {"SecurityOptions": ["name=userns", "seccomp"]}, ["userns-remap: root"]),
    ],
)
def test_what_an_engine_has_is_named(info, words):
    text = "\n".join(each.text for each in about_engine(facts(info)))
    for word in words:
        assert word in text


def test_no_engine_is_bad_only_where_one_is_needed():
    error = SandboxUnavailable("No Docker engine answers.", hint="Start it.")
    needed, other = about_no_engine(error, needed=True), about_no_engine(error, needed=False)
    assert (needed.mark, needed.code, needed.hint) == (Mark.BAD, 3, "Start it.")
    assert (other.mark, other.hint) == (Mark.LESS, "Start it.")
    assert "local sandbox" in other.text


def test_what_chose_the_engine(tmp_path):
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    assert chosen_by(environment) == "the default"
    (tmp_path / "config.json").write_text('{"currentContext": "desktop-linux"}')
    assert chosen_by(environment) == "context desktop-linux"
    assert chosen_by(environment | {"DOCKER_CONTEXT": "far"}) == "context far"
    assert chosen_by(environment | {"DOCKER_CONTEXT": "default"}) == "the default"
    assert chosen_by(environment | {"DOCKER_HOST": "tcp://x"}) == "DOCKER_HOST"
    (tmp_path / "config.json").write_text("{")
    assert chosen_by(environment) == "the default"


def test_a_context_leads_where_the_docker_command_goes(tmp_path):
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    # As the Docker client stores it: below the SHA-256 of its name.
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": "far", "Endpoints": {"docker": {"Host": "tcp://10.0.0.1:2376"}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    assert context_host("context far", environment) == "tcp://10.0.0.1:2376"
    assert context_host("context near", environment) == ""
    assert context_host("DOCKER_HOST", environment) is None

    def said(host: str, wanted: str | None) -> str:
        plain = replace(facts(DOCKER_20), host=host, chosen_by="context far", context_host=wanted)
        return "".join(each.hint for each in about_engine(plain))

    assert said("https://10.0.0.1:2376", "tcp://10.0.0.1:2376") == ""
    assert said("http+docker://ssh", "ssh://me@10.0.0.1") == ""
    assert said("unix:///run/x.sock", None) == ""
    assert "DOCKER_HOST=tcp://10.0.0.1" in said("unix:///run/x.sock", "tcp://10.0.0.1:2376")
    assert "docker context ls" in said("unix:///run/x.sock", "")


# Room


@pytest.mark.parametrize(
    ("info", "asked", "limits", "mark", "words"),
    [
        (DOCKER_20, 0, Limits(), "fine", "2 at once"),
        (DOCKER_20, 1, Limits(), "fine", "1 at once"),
        (DOCKER_20, 4, Limits(), "less", "batch.executions=2"),
        (DOCKER_20, 4, Limits(cpus=0.5), "fine", "0.5 cores"),
        (DOCKER_28, 0, Limits(memory_mb=16_384), "less", "cores for 16, but not the memory"),
        (DESKTOP, 8, Limits(memory_mb=1024), "less", "Settings, Resources"),
        (DESKTOP, 0, Limits(memory_mb=64_000), "less", "limits.memory_mb"),
    ],
)
def test_executions_fit_into_cores_and_memory(info, asked, limits, mark, words):
    found = about_slots(facts(info), asked, limits)
    assert found.mark == mark
    assert words in found.text + found.hint


@pytest.mark.parametrize(
    ("disk", "mark", "code"),
    [
        (FileSystem("/var/lib/docker", 500 * GB, 200 * GB), "fine", 1),
        (FileSystem("/var/lib/docker", 500 * GB, 70 * GB), "less", 1),
        (FileSystem("/var/lib/docker", 40 * GB, 8 * GB), "less", 1),
        (FileSystem("/var/lib/docker", 500 * GB, GB // 2), "bad", 3),
        (FileSystem("/var/lib/docker", 0, 0), "bad", 3),
        (None, "unknown", 1),
    ],
)
def test_the_disk_is_held_against_the_watermark(disk, mark, code):
    found = about_disk(facts(DOCKER_28), "/var/lib/docker", disk, Watermark(85, 10 * GB))
    assert (found.mark, found.code) == (mark, code)
    assert mark == "unknown" or ("troop gc" in found.hint) == (mark != "fine")


def test_only_an_engine_on_this_machine_has_a_disk_that_can_be_looked_at():
    assert facts(DOCKER_28).is_here
    assert not facts(DESKTOP).is_here
    assert not facts(DOCKER_28 | {"Name": "another"}).is_here
    assert not replace(facts(DOCKER_28), host="http://10.0.0.1:2375").is_here
    assert images_folder(facts(DOCKER_28)) == "/var/lib/docker"
    assert images_folder(facts(DESKTOP)) == "/var/lib/containerd"
