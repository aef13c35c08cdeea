"""Names of images and folders that strangers may give."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.instances.instance import Environment
from data.instances.loaders import load_instances
from data.instances.naming import check_environment, is_image, what_is_wrong
from data.instances.repository import own_repository

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = [
    "a",
    "python:3.12",
    "library/python:3.12-slim_x",
    "ghcr.io/swefficiency/swefficiency-images:astropy__astropy-1",
    "ghcr.io/epoch-research/swe-bench.eval.x86_64.astropy__astropy-12907:latest",
    "xingyaoww/sweb.eval.x86_64.django_s_django-11099",
    "jefzda/sweap-images:acme.tool-1",
    "localhost:5000/x",
    "LOCALHOST/x",
    "Registry.Example.com:443/owner/a__b/c---d.e",
    "[::1]:5000/x",
    "10.0.0.1:5000/x/y",
    "x@sha256:" + "a" * 64,
    "x:1@sha256:" + "A" * 64,
    "x@sha512+b64u:" + "0" * 128,
    "sha256:" + "a" * 64,
    "a" * 64,
    "a:" + "t" * 128,
    "a" * 255,
]
NO_IMAGES = [
    "",
    " a",
    "a b",
    "a\n",
    "a\0b",
    "/x",
    ".hidden",
    "--privileged",
    "-v/:/host",
    "../..",
    "a/../b",
    "a/..",
    "../../containers/x/json",
    "/a",
    "a/",
    "a//b",
    "A",
    "a/B",
    "a..b",
    ".a",
    "_a",
    "a___b",
    "é",
    "a:",
    ":a",
    "a:-x",
    "a:b/../c",
    "a:b:c",
    "a@sha256:zz",
    "a@sha256",
    "a?all=1",
    "a#b",
    "a%2e%2e/b",
    "http://a/b",
    "a;b",
    "$(a)",
    "a:" + "t" * 129,
    "a" * 256,
    "a/" * 5000 + "a",
    "a\u202eb",
    "\ud800",
]
FOLDERS = ["/testbed", "/app", "/home/a b", "/code/", "/tmp/x", "/proc2", "/devel/x", "/troops"]
NO_FOLDERS = [
    "",
    "testbed",
    "../x",
    "/",
    "//",
    "/./",
    "/proc",
    "/proc/1/root",
    "//proc/1/root",
    "/./proc/1",
    "/testbed/../proc/1",
    "/testbed/..",
    "/sys/fs/cgroup",
    "/dev/shm",
    "/troop",
    "/troop/job",
    "/troop-venv",
    "/a\0b",
    "/a\nb",
    "/a\u202eb",
    "/\ud800",
    "/" + "x" * 1001,
]


@pytest.mark.parametrize("name", IMAGES)
def test_images(name: str) -> None:
    assert is_image(name)


@pytest.mark.parametrize("name", NO_IMAGES, ids=lambda name: ascii(name)[:30])
def test_what_names_no_image(name: str) -> None:
    assert not is_image(name)


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders(folder: str) -> None:
    assert not what_is_wrong(Environment("a", folder))


@pytest.mark.parametrize("folder", NO_FOLDERS, ids=lambda name: ascii(name)[:30])
def test_where_no_repository_can_be(folder: str) -> None:
    wrong = what_is_wrong(Environment("a", folder))
    assert "folder" in wrong or "absolute path" in wrong
    assert wrong.isprintable()
    assert len(wrong) < 250


def test_what_is_said() -> None:
    with pytest.raises(UsageError) as caught:
        check_environment(Environment("--privileged"), "The row")
    assert caught.value.message == "The row: '--privileged' is not the name of a Docker image."
    assert "python:3.12" in caught.value.hint


def rows(folder: Path, **change: object) -> str:
    row = {"instance_id": "a__b-1", "repo": "a/b", "base_commit": "c", "problem_statement": "It."}
    (folder / "rows.jsonl").write_text(json.dumps(row | change))
    return str(folder / "rows.jsonl")


@pytest.mark.parametrize("column", ["image", "image_name", "docker_image", "dockerhub_tag"])
@pytest.mark.parametrize("name", ["--privileged", "a\0b", "../..", "a/../../b"])
def test_an_image_in_a_row(tmp_path: Path, column: str, name: str) -> None:
    with pytest.raises(UsageError, match=r"row 1: .* is not the name of a Docker image"):
        load_instances(rows(tmp_path, **{column: name}))


@pytest.mark.parametrize("folder", ["/", "/proc/1/root", "/troop", "/x/../sys", "//dev/shm"])
def test_a_folder_in_a_row(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match=r"row 1: .* cannot be the folder of a repository"):
        load_instances(rows(tmp_path, repo_dir=folder))


@pytest.mark.parametrize("repo", ["x/proc", "x/..", "x/troop"])
def test_a_folder_that_a_repository_s_name_makes(tmp_path: Path, repo: str) -> None:
    source = rows(tmp_path, repo=repo, image="a")
    with pytest.raises(UsageError, match="cannot be the folder of a repository"):
        load_instances(f"rebench-v2:{source}")


def test_an_id_that_makes_no_image_is_of_no_image(tmp_path: Path) -> None:
    (instance,) = load_instances(rows(tmp_path, instance_id="né-1"))
    assert instance.environment.image is None
    (instance,) = load_instances(rows(tmp_path))
    assert instance.environment.image == "swebench/sweb.eval.x86_64.a_1776_b-1:latest"


IDS = ["../x", "..", "a/../b", "a..b", "/etc/x", "-rf", ".a", "a\\b", "a\0b", "a\nb"]
IDS += ["a\u202eb", "a\x9bb", "x" * 201, "漢" * 70]


@pytest.mark.parametrize("name", IDS, ids=lambda name: ascii(name)[:30])
def test_ids_that_cannot_name_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a folder") as caught:
        load_instances(rows(tmp_path, instance_id=name))
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"image": "--privileged"}, "'--privileged' is not the name of a Docker image"),
        ({"image": "a\0b"}, "is not the name of a Docker image"),
        ({"image": ""}, "'' is not the name of a Docker image"),
        ({"repo_dir": "/proc/1/root"}, "'/proc/1/root' cannot be the folder of a repository"),
        ({"repo_dir": "/code/../troop"}, "cannot be the folder of a repository"),
        ({"repo_dir": "code"}, "repo_dir must be an absolute path, not 'code'"),
    ],
)
def test_an_own_repository(tmp_path: Path, given: dict[str, str], complaint: str) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(UsageError, match=complaint):
        own_repository(tmp_path, "It breaks.", **given)  # type: ignore[arg-type]
