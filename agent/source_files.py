"""The files of a codebase from which the context is chosen."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data.codebases.reader import large_files
from data.codebases.source_paths import SOURCE_SUFFIXES, is_vendored
from data.languages.test_files import is_test

if TYPE_CHECKING:
    from data.codebases.codebase import Codebase, SourceFile


def source_files(codebase: Codebase) -> list[SourceFile]:
    """The source files that are neither tests nor vendored nor empty, in path order."""
    return [file for path, file in codebase.files.items() if _is_source(path) and file.text.strip()]


def large_source_files(codebase: Codebase) -> dict[str, int]:
    """The source files that were left out because of their size, with their size in bytes."""
    return {path: size for path, size in large_files(codebase).items() if _is_source(path)}


def _is_source(path: str) -> bool:
    return (
        PurePosixPath(path).suffix.lower() in SOURCE_SUFFIXES
        and not is_test(path)
        and not is_vendored(path)
    )
