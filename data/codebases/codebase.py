"""The codebase: every text file of a repository at its base commit."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


_BYTE_ORDER_MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One text file. `text` keeps its line endings; `encode` returns its exact bytes."""

    path: str
    """Relative to the repository, with forward slashes."""
    text: str
    encoding: str = "utf-8"
    """A Python codec; "utf-8-sig", "utf-16-le", "utf-16-be" begin with a mark that `text` lacks."""
    executable: bool = False

    def encode(self, text: str | None = None) -> bytes:
        """The bytes of `text` (default: of the file as it is) in this file's encoding.

        Raises:
            UnicodeEncodeError: the file's encoding has no such character.
        """
        encoded = (self.text if text is None else text).encode(self.encoding)
        mark = _BYTE_ORDER_MARKS.get(self.encoding)
        return encoded if mark is None else mark + encoded


@dataclass(frozen=True, slots=True)
class Codebase:
    """The text files of a repository in one state, and why other files were left out."""

    digest: str
    """Identifies the content: SHA-256 (hex) over paths, modes and bytes."""
    files: Mapping[str, SourceFile]
    """By path, in path order."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Path -> reason, for tracked files that are not read."""
