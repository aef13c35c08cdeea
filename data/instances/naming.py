"""Which names of images and folders are accepted. They come from strangers: rows, databases."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.paths import encode_path

if TYPE_CHECKING:
    from data.instances.instance import Environment

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?"
_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_WORD = "[A-Za-z][A-Za-z0-9]*"
_DIGEST = rf"{_WORD}(?:[-_+.]{_WORD})*:[0-9A-Fa-f]{{32,128}}"
_IMAGE = re.compile(rf"((?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::{_TAG})?(?:@{_DIGEST})?")
"""The grammar of references of Docker's registries (`reference.go` of distribution)."""
_LONGEST_NAME = 255
_LONGEST_IMAGE = 600
_LONGEST_FOLDER = 1000
_RESERVED = ("/proc", "/sys", "/dev", "/troop", "/troop-venv")
"""The kernel's folders, and those that Troop puts into a sandbox."""
_SHOWN = 100
HINT = "Images are named like python:3.12 or ghcr.io/owner/name:tag, folders like /testbed."


def is_image(name: str) -> bool:
    """Whether a text can name a Docker image; an image's id can."""
    found = _IMAGE.fullmatch(name) if len(name) <= _LONGEST_IMAGE else None
    return found is not None and len(found[1]) <= _LONGEST_NAME


def what_is_wrong(environment: Environment) -> str:
    """Why an environment is not accepted, as a sentence without its full stop; "": it is."""
    image, folder = environment.image, environment.repo_dir
    if image is not None and not is_image(image):
        return f"{image[:_SHOWN]!a} is not the name of a Docker image"
    if not folder.startswith("/"):
        return f"repo_dir must be an absolute path, not {folder[:_SHOWN]!a}"
    if not _may_hold_repository(folder):
        return f"{folder[:_SHOWN]!a} cannot be the folder of a repository"
    return ""


def check_environment(environment: Environment, of: str) -> None:
    """Refuse an environment with a name that is not accepted. `of` says whose it is.

    Raises:
        UsageError: it has such a name.
    """
    if wrong := what_is_wrong(environment):
        raise UsageError(f"{of}: {wrong}.", hint=HINT)


def _may_hold_repository(folder: str) -> bool:
    if not folder.isprintable() or len(encode_path(folder)) > _LONGEST_FOLDER:
        return False
    plain = "/" + posixpath.normpath(folder).lstrip("/")
    inside = any(plain == one or plain.startswith(f"{one}/") for one in _RESERVED)
    return plain != "/" and not inside and ".." not in folder.split("/")
