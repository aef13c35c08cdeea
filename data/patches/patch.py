"""Patches: a diff in git form together with the files it results in."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file after a patch."""

    path: str
    content: bytes | None
    """None: the file is deleted."""
    executable: bool = False


@dataclass(frozen=True)
class Patch:
    """A change to a codebase.

    `diff` is what people and graders read (git form, a/ and b/ prefixes, ends
    in a newline, "" when nothing changes); `files` is what a sandbox lays over
    the codebase, sorted by path. Both say the same.
    """

    diff: str
    files: tuple[FileChange, ...]

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over the resulting files: equal patches have equal digests."""
        sha = hashlib.sha256()
        for change in self.files:
            state = b"D" if change.content is None else (b"X" if change.executable else b"F")
            content = change.content or b""
            path = change.path.encode("utf-8", "surrogateescape")
            sha.update(b"%s %d %d\0%s%s" % (state, len(path), len(content), path, content))
        return sha.hexdigest()

    def __bool__(self) -> bool:
        return bool(self.files)


UNEDITED = Patch(diff="", files=())
"""The codebase as it is."""
