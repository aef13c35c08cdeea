"""Where a benchmark's code is: the image of a row, and how its scripts start."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from data.instances.family import ACTIVATE, IMAGE_COLUMNS, LANGUAGE_COLUMNS, PRO_IMAGES, recognised
from data.instances.instance import Environment
from data.languages.languages import known_language

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.errors import UsageError
    from data.instances.family import Dataset
    from data.records import Record

__all__ = ["ACTIVATE", "checked_folder", "checked_image", "environment_of", "image_of"]


_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,511}")
_NOT_A_REPOSITORY = {"proc", "sys", "dev", "troop"}


def environment_of(record: Record, dataset: Dataset | None = None) -> Environment:
    """Find where a row's code is. The row's own `repo_dir` and `activate` come first.

    Raises:
        UsageError: one of these columns holds no text, or `repo_dir` is relative.
    """
    dataset = dataset or recognised(record.values)
    name = record.required("repo").rpartition("/")[2]
    repo_dir = dataset.folder.format(name=name)
    own_dir = record.text("repo_dir")
    if own_dir:
        if not own_dir.startswith("/"):
            raise record.error(f"repo_dir must be an absolute path, not {own_dir}")
        repo_dir = checked_folder(posixpath.normpath(own_dir), record.error)
    own_activate = record.text("activate")
    return Environment(
        image=checked_image(image_of(record, dataset), record.error),
        repo_dir=repo_dir,
        activate=dataset.activate if own_activate is None else own_activate,
        setup=_setup(record, dataset),
        language=_language(record, dataset),
    )


def checked_image(image: str | None, error: Callable[[str], UsageError]) -> str | None:
    """The name of an image, if it can be one; `error` makes the error.

    Raises:
        UsageError: it cannot, for example because it begins like a flag.
    """
    if image is not None and (not _IMAGE.fullmatch(image) or ".." in image or "//" in image):
        raise error(f"{image[:200]!a} is not the name of an image")
    return image


def checked_folder(folder: str, error: Callable[[str], UsageError]) -> str:
    """The folder of a repository, if an image can have one there; `error` makes the error.

    Raises:
        UsageError: it is one of the kernel's or of Troop's own.
    """
    if (folder.split("/")[1:2] and folder.split("/")[1] in _NOT_A_REPOSITORY) or "\0" in folder:
        raise error(f"repo_dir cannot be {folder[:200]!a}")
    return folder


def image_of(record: Record, dataset: Dataset | None = None) -> str | None:
    """Name a row's image by its image columns, or else by its id; None: it is not known.

    Raises:
        UsageError: a column holds no text.
    """
    for column in IMAGE_COLUMNS:
        value = (record.text(column) or "").strip()
        if value:
            return f"{PRO_IMAGES}:{value}" if column == "dockerhub_tag" else value
    template = (dataset or recognised(record.values)).image
    if template is None:
        return None
    name = record.required("instance_id")
    org, _, repo = record.required("repo").lower().partition("/")
    return template.format(
        id=name,
        id_1776=name.lower().replace("__", "_1776_"),
        id_s=name.lower().replace("__", "_s_"),
        org=org,
        name=repo,
        number=name.rpartition("-")[2],
    )


def _setup(record: Record, dataset: Dataset) -> str:
    # If a row names an image itself, a person has prepared that image.
    if not dataset.setup or (record.text("image") or "").strip():
        return ""
    return dataset.setup.format(
        id=shlex.quote(record.required("instance_id")),
        repository=shlex.quote(record.required("repo")),
    )


def _language(record: Record, dataset: Dataset) -> str:
    for column in LANGUAGE_COLUMNS:
        value = record.values.get(column)
        if isinstance(value, str) and value.strip():
            return known_language(value)
    return dataset.language
