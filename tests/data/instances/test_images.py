"""Which image a row names, and what goes with it."""

from __future__ import annotations

import subprocess

import pytest

from data.instances.images import ACTIVATE, environment_of, image_of
from data.records import Record

TEMPLATE = "swebench/sweb.eval.x86_64.acme_1776_tool-1:latest"


def record(**columns: object) -> Record:
    return Record("row 1", {"instance_id": "Acme__Tool-1", "repo": "acme/tool", **columns})


@pytest.mark.parametrize(
    ("columns", "image"),
    [
        ({}, TEMPLATE),
        ({"image": None, "image_name": ""}, TEMPLATE),
        ({"image": " a:1 ", "image_name": "b", "docker_image": "c", "dockerhub_tag": "d"}, "a:1"),
        ({"image_name": "b", "docker_image": "c", "dockerhub_tag": "d"}, "b"),
        ({"docker_image": "c", "dockerhub_tag": "d"}, "c"),
        ({"dockerhub_tag": "acme.tool-1"}, "jefzda/sweap-images:acme.tool-1"),
    ],
)
def test_the_order_of_the_columns(columns: dict[str, object], image: str) -> None:
    assert image_of(record(**columns)) == image


@pytest.mark.parametrize(
    ("columns", "repo_dir", "activate"),
    [
        ({}, "/testbed", ACTIVATE),
        ({"image": "mine:1"}, "/testbed", ACTIVATE),
        ({"dockerhub_tag": "d"}, "/app", ""),
        ({"image": "jefzda/sweap-images:d"}, "/app", ""),
        ({"image_name": "b", "install_config": {"test_cmd": "x"}}, "/tool", ""),
        ({"repo_dir": "/src/../code/", "activate": ""}, "/code", ""),
        ({"dockerhub_tag": "d", "repo_dir": "/x", "activate": ". e"}, "/x", ". e"),
    ],
)
def test_the_family(columns: dict[str, object], repo_dir: str, activate: str) -> None:
    environment = environment_of(record(**columns))
    assert (environment.repo_dir, environment.activate) == (repo_dir, activate)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_activating_is_harmless_without_conda(shell: str) -> None:
    script = f"set -eu\n{ACTIVATE}\necho on"
    ran = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("on\n", "")
