"""Patches: a diff in git form, and the files that it results in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file after a patch."""

    path: str
    content: bytes | None
    """None: the file is deleted."""
    executable: bool = False


@dataclass(frozen=True)
class Patch:
    """A change to a codebase: its diff, its digest and, laid on a codebase, its files.

    `diff` is what people and graders read: in git form, with a/ and b/ prefixes and
    a newline at the end, "" if nothing changes. `files` is what a sandbox lays over
    the codebase, sorted by path. All three describe the same change.
    """

    diff: str
    digest: str
    """SHA-256 (hex) over the resulting files: equal patches have equal digests."""
    laid: tuple[FileChange, ...] | None = field(default=None, compare=False, repr=False)
    """None: it comes from a store; `data.patches.applying.lay` adds the files."""

    @classmethod
    def of(cls, diff: str, files: tuple[FileChange, ...]) -> Patch:
        """The patch that leads to these files, sorted by path."""
        return cls(diff, _digest(files), files)

    @property
    def files(self) -> tuple[FileChange, ...]:
        """The files after the patch.

        Raises:
            ValueError: it has not been laid on a codebase yet.
        """
        if self.laid is None:
            raise ValueError("this patch was not laid on a codebase")
        return self.laid

    def __bool__(self) -> bool:
        return self.digest != UNEDITED.digest


def _digest(files: tuple[FileChange, ...]) -> str:
    sha = hashlib.sha256()
    for change in files:
        state = b"D" if change.content is None else (b"X" if change.executable else b"F")
        content = change.content or b""
        path = change.path.encode("utf-8", "surrogateescape")
        sha.update(b"%s %d %d\0%s%s" % (state, len(path), len(content), path, content))
    return sha.hexdigest()


UNEDITED = Patch.of("", ())
"""The codebase as it is."""
