"""Small codebases, and candidates that edit them."""

from __future__ import annotations

from data.codebases.reader import RawFile, codebase_from_files
from data.patches.patch import FileChange, Patch
from selection.candidates import Candidate


def codebase(files: dict[str, str]):
    return codebase_from_files(RawFile(path, text.encode()) for path, text in files.items())


def edit(number: int, *paths: str, line: str = "", writers: int = 1) -> Candidate:
    """A candidate that puts `line` into each of `paths`."""
    diff = "".join(
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-x\n+{line}\n"
        for path in paths
    )
    changes = tuple(FileChange(path, line.encode()) for path in sorted(paths))
    return Candidate(number, Patch.of(diff, changes), tuple(range(writers)))
