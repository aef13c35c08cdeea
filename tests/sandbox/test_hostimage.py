"""An image of this machine's own Python."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import docker
import pytest

from data.errors import SandboxUnavailable
from data.instances.instance import Environment, Instance
from data.patches.patch import UNEDITED
from sandbox.docker import DockerProvider, host_python_image, hostimage
from sandbox.protocol import Limits, Script

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.docker.engine import Engine


@pytest.mark.docker
async def test_the_standard_library_works_in_it(python_image: str) -> None:
    code = (
        "import asyncio, bz2, ctypes, decimal, hashlib, json, lzma, multiprocessing, socket\n"
        "import sqlite3, ssl, subprocess, sys, tempfile, threading, unittest, uuid, zlib\n"
        "sqlite3.connect(':memory:').execute('select 1')\n"
        "hashlib.sha256(b'x'); ssl.create_default_context(); uuid.uuid4()\n"
        "print(sys.version_info[:3], sys.prefix, 'ä'.encode())\n"
        "print(subprocess.check_output(['git', '--version'])[:3], tempfile.gettempdir())"
    )
    async with DockerProvider() as provider:
        environment = Environment(image=python_image, repo_dir="/tmp")
        sandbox = await provider.open(Instance("i", "r", "", "", environment), run="r")
        execution = await sandbox.execute(Script(code), UNEDITED, Limits())
    expected = f"{sys.version_info[:3]} {sys.base_prefix} b'\\xc3\\xa4'\nb'git' /tmp\n"
    assert execution.output == expected


@pytest.mark.docker
def test_it_is_built_once_and_is_small(python_image: str) -> None:
    client = docker.from_env()
    try:
        assert host_python_image(client) == python_image
        assert python_image.startswith("troop/host-python:")
        image = client.images.get(python_image)
        assert image.attrs["Size"] < 120_000_000
        assert image.labels["troop.kind"] == "host-python"
    finally:
        client.close()


@pytest.mark.docker
def test_another_architecture_is_refused(
    docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(SandboxUnavailable, match="riscv64") as caught:
        host_python_image()
    assert "docker pull" in caught.value.hint


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxUnavailable, match="darwin"):
        host_python_image()


def test_links_are_kept_and_their_targets_added(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("x")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "a").symlink_to(tmp_path / "folder" / "file")
    (tmp_path / "loop").symlink_to("loop")
    tree = hostimage._Tree("/python")
    tree.add(str(tmp_path / "a"))
    tree.add(str(tmp_path / "loop"))
    tree.add(str(tmp_path / "none"))
    assert list(tree._files) == [str(tmp_path / "real" / "file")]
    assert tree._links[str(tmp_path / "folder")] == "real"
    before = tree.digest()
    (tmp_path / "real" / "other").write_text("y")
    tree.add(str(tmp_path / "real" / "other"))
    assert tree.digest() != before
