"""Paths inside a repository, as archives and patches give them.

They are strings with forward slashes. Bytes that are not UTF-8 are surrogate
escapes, so `encode_path` gives back what the file system or git holds.
"""

from __future__ import annotations

import hashlib
import re

from data.errors import UsageError

_PLAIN_NAME = re.compile(r"[\w+@=][\w.+@=:-]{0,199}")
_SPECIAL = re.compile(r"[^\w.+@=-]+")
_KEPT = 100
_LONGEST_NAME = 255
_LONGEST_PATH = 4000


def encode_path(path: str) -> bytes:
    """The bytes that git and the file system know `path` by."""
    return path.encode("utf-8", "surrogateescape")


def decode_path(path: bytes) -> str:
    """The path that `encode_path` turns into these bytes."""
    return path.decode("utf-8", "surrogateescape")


def show_path(path: str) -> str:
    """`path` on one printable line, for messages."""
    return path if path.isprintable() else ascii(path)


def file_name(name: str) -> str:
    """A name for a file or folder, from a text of anybody: itself if it is a plain one.

    Other texts ("../x", an absolute path, a very long one) lose what is special and get a
    digest, so that two of them do not meet in one file.
    """
    if _PLAIN_NAME.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_SPECIAL.sub('-', name).strip('.-')[:_KEPT] or 'name'}-{digest}"


def plain_path(path: str) -> str:
    """`path` without empty and "." components; "": the repository itself.

    Raises:
        UsageError: it leads out of the repository.
    """
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise UsageError(
            f"The path {path!a} leads out of the repository.",
            hint="No honest archive or patch holds such a path; look at where it came from.",
        )
    return "/".join(parts)


def is_git_internal(path: str) -> bool:
    """Whether a component is git's own (`.git`), in upper or lower case."""
    return any(part.lower() == ".git" for part in path.split("/"))


def check_editable(path: str) -> None:
    """Refuse a path that a patch must not name.

    Raises:
        UsageError: it is absolute, leads out of the repository, is inside `.git`, is not
            in its plain form, or is longer than file systems allow.
    """
    if not path or plain_path(path) != path:
        raise UsageError(f"{path!a} is not a path inside the repository.")
    if is_git_internal(path):
        raise UsageError(f"The path {show_path(path)} lies in git's own folder.")
    encoded = encode_path(path)
    if len(encoded) > _LONGEST_PATH or max(map(len, encoded.split(b"/"))) > _LONGEST_NAME:
        raise UsageError(f"The path {show_path(path)[:80]}... is too long for a file system.")
