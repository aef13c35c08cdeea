"""The whole pipeline with scripts in Docker."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.docker import docker_engine, python_image
from tests.support.model_server import ModelServer
from tests.support.views import view
from tests.support.waiting import eventually

__all__ = ["docker_engine", "python_image"]

pytestmark = pytest.mark.docker


@pytest.fixture
def troop(tmp_path):
    return Command(tmp_path)


def in_docker(words: list[str], image: str, *more: str) -> list[str]:
    return [*words, "--sandbox", "docker", "--image", image, *more]


def test_the_demo_in_docker(troop, python_image):
    report = troop.finish("demo", "--sandbox", "docker", "--no-wait")
    assert "selection trajectory chose it" in report
    assert "6r is tests/test_walk.py: 19 tests pass" in report
    assert "✘2" in report
    patch = troop.finish("show", "last", "--patch")
    assert "count(first, direction)" in patch
    with troop.reader() as reader:
        (run,) = view(reader, "runs")
        assert (run["sandbox"], run["replayed"]) == ("docker", 1)


def test_an_own_repository_is_installed_once_and_repaired(troop, python_image):
    repository = calc_repository(troop.folder)
    setup = "mkdir -p /opt/made && echo yes > /opt/made/here && cp README.md /opt/made/"
    with ModelServer(scripted_model.answer) as server:
        words = solve_words(repository, server.base_url, "--setup", setup, "--patch-only")
        patch = troop.finish(*in_docker(words, python_image))
    subprocess.run(["git", "apply", "-"], cwd=repository, input=patch, text=True, check=True)


def test_a_setup_that_fails_is_reported_with_its_output(troop, python_image):
    repository = calc_repository(troop.folder)
    with ModelServer(scripted_model.answer) as server:
        words = solve_words(repository, server.base_url, "--setup", "echo no such thing; exit 3")
        code, _, errors = troop.run(*in_docker(words, python_image))
    assert code == 2
    assert "no such thing" in errors


def test_what_a_killed_command_leaves_is_removed_by_the_next(troop, python_image, docker_engine):
    repository = calc_repository(troop.folder)
    with ModelServer(scripted_model.answer, delay_s=0.2) as server:
        words = in_docker(solve_words(repository, server.base_url), python_image)
        process = troop.start(*words)
        eventually(lambda: labelled(process.pid) or process.poll() is not None)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        troop.finish(*words)
    assert not labelled(process.pid)


def labelled(pid: int) -> list[str]:
    """Containers made by the process."""
    listing = ["docker", "ps", "-a", "--filter", "label=troop", "--format", "{{.ID}} {{.Labels}}"]
    found = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if f":{pid}:" in line]
