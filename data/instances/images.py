"""Where a benchmark's code is: the image of a row, and how its scripts start."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING

from data.instances.family import ACTIVATE, IMAGE_COLUMNS, LANGUAGE_COLUMNS, PRO_IMAGES, recognised
from data.instances.instance import Environment
from data.instances.naming import HINT, is_image, what_is_wrong
from data.languages.languages import known_language

if TYPE_CHECKING:
    from data.instances.family import Dataset
    from data.records import Record

__all__ = ["ACTIVATE", "environment_of", "image_of"]


def environment_of(record: Record, dataset: Dataset | None = None) -> Environment:
    """Find where a row's code is. The row's own `repo_dir` and `activate` come first.

    Raises:
        UsageError: one of these columns holds no text, or a name that is not accepted.
    """
    dataset = dataset or recognised(record.values)
    name = record.required("repo").rpartition("/")[2]
    repo_dir = dataset.folder.format(name=name)
    own_dir = record.text("repo_dir")
    if own_dir:
        repo_dir = posixpath.normpath(own_dir)
    own_activate = record.text("activate")
    environment = Environment(
        image=image_of(record, dataset),
        repo_dir=repo_dir,
        activate=dataset.activate if own_activate is None else own_activate,
        setup=_setup(record, dataset),
        language=_language(record, dataset),
    )
    if wrong := what_is_wrong(environment):
        raise record.error(wrong, hint=HINT)
    return environment


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
    image = template.format(
        id=name,
        id_1776=name.lower().replace("__", "_1776_"),
        id_s=name.lower().replace("__", "_s_"),
        org=org,
        name=repo,
        number=name.rpartition("-")[2],
    )
    return image if is_image(image) else None


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
