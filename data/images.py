"""Where a benchmark's code lies: the image of a row and how its scripts start."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from data.instance import Environment

if TYPE_CHECKING:
    from data.records import Record

ACTIVATE = (
    "if [ -f /opt/miniconda3/bin/activate ]; then "
    ". /opt/miniconda3/bin/activate && conda activate testbed; fi"
)
"""Enters the environment of SWE-bench's images; does nothing in an image without conda."""

_PRO_IMAGES = "jefzda/sweap-images"

IMAGE_COLUMNS = ("image", "image_name", "docker_image", "dockerhub_tag")
"""The columns that name an image, the first that holds something first."""
ENVIRONMENT_COLUMNS = (*IMAGE_COLUMNS, "repo_dir", "activate", "install_config")
"""Every column that `environment_of` looks at."""


def environment_of(record: Record) -> Environment:
    """Tell where a row's code lies. The row's own `repo_dir` and `activate` come first.

    Raises:
        UsageError: one of these columns holds no text, or `repo_dir` is relative.
    """
    image = image_of(record)
    repo_dir, activate = _family(record, image)
    own_dir = record.text("repo_dir")
    if own_dir:
        if not own_dir.startswith("/"):
            raise record.error(f"repo_dir must be an absolute path, not {own_dir}")
        repo_dir = posixpath.normpath(own_dir)
    own_activate = record.text("activate")
    if own_activate is not None:
        activate = own_activate
    return Environment(image=image, repo_dir=repo_dir, activate=activate)


def image_of(record: Record) -> str:
    """Name a row's image: the first of its image columns, else by its id.

    Raises:
        UsageError: a column holds no text.
    """
    for column in IMAGE_COLUMNS:
        value = (record.text(column) or "").strip()
        if value:
            return f"{_PRO_IMAGES}:{value}" if column == "dockerhub_tag" else value
    name = record.required("instance_id").lower().replace("__", "_1776_")
    return f"swebench/sweb.eval.x86_64.{name}:latest"


def _family(record: Record, image: str) -> tuple[str, str]:
    """Tell the folder and the activation by the family that a row belongs to."""
    if record.text("dockerhub_tag") or image.startswith(_PRO_IMAGES):
        return "/app", ""
    if record.text("image_name") and record.values.get("install_config"):
        # SWE-rebench V2 clones each repository into a folder of its own name.
        return "/" + record.required("repo").rpartition("/")[2], ""
    return "/testbed", ACTIVATE
