"""Rows of strangers: names that lead elsewhere are refused when they are loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.instances.images import checked_folder, checked_image
from data.instances.loaders import load_instances

if TYPE_CHECKING:
    from pathlib import Path

ROW = {
    "instance_id": "a__b-1",
    "repo": "a/b",
    "base_commit": "0" * 40,
    "problem_statement": "It breaks.",
    "image": "tiny:1",
}


def load(folder: Path, **changes: str) -> str:
    file = folder / "rows.jsonl"
    file.write_text(json.dumps(ROW | changes))
    (instance,) = load_instances(str(file))
    return instance.instance_id


def test_an_ordinary_row(tmp_path: Path) -> None:
    assert load(tmp_path) == "a__b-1"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a\0b", "a\nb", "-rf", "a/../../b", "x" * 300])
def test_ids_that_are_not_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="instance_id"):
        load(tmp_path, instance_id=name)


@pytest.mark.parametrize(
    "image", ["--privileged", "a\0b", "../..", "a b", "/x", ".hidden", "a//b", "x" * 600]
)
def test_what_cannot_be_an_image(tmp_path: Path, image: str) -> None:
    with pytest.raises(UsageError, match="not the name of an image"):
        load(tmp_path, image=image)


@pytest.mark.parametrize("folder", ["/proc/1/root", "/troop", "/sys", "/dev/shm", "/a/../proc"])
def test_folders_without_a_repository(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match="repo_dir cannot be"):
        load(tmp_path, repo_dir=folder)


@pytest.mark.parametrize(
    "image",
    [
        "python:3.12",
        "ghcr.io/epoch-research/swe-bench.eval.x86_64.astropy__astropy-12907:latest",
        "localhost:5000/a/b@sha256:" + "0" * 64,
        "sha256:" + "a" * 64,
        "xingyaoww/sweb.eval.x86_64.django_s_django-11099",
    ],
)
def test_images_that_there_are(image: str) -> None:
    assert checked_image(image, UsageError) == image
    assert checked_image(None, UsageError) is None
    assert checked_folder("/testbed", UsageError) == "/testbed"
