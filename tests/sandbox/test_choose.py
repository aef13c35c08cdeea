"""Choosing a sandbox."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sandbox.kinds import choose
from sandbox.kinds.choose import choose_provider
from tests.support.docker import require_docker

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.docker
async def test_an_engine_that_answers_is_used() -> None:
    require_docker()
    assert (await choose_provider("auto")).kind == "docker"


async def test_without_an_engine_it_is_local_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    provider = await choose_provider("auto")
    assert provider.kind == "local"
    assert "No Docker engine answers" in provider.describe()
    assert "\n" not in provider.describe()


async def test_an_engine_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(choose, "_PING_S", 1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/silent.sock")
        provider = await choose_provider("auto")
    assert provider.kind == "local"


async def test_what_is_named_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert (await choose_provider("docker")).kind == "docker"
    assert (await choose_provider("local")).kind == "local"


@pytest.mark.slow
def test_importing_the_sandbox_does_not_import_docker() -> None:
    code = (
        "import sys, sandbox, sandbox.protocol, sandbox.kinds.choose, sandbox.local\n"
        "assert 'docker' not in sys.modules and 'requests' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
