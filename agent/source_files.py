"""Which files of a codebase the context is chosen from."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.codebase import Codebase, SourceFile

SOURCE_SUFFIXES = frozenset(
    """
    .py .pyi .pyx .pxd .c .h .cc .cpp .cxx .hh .hpp .cu .rs .go .java .kt .scala .js .jsx .mjs
    .cjs .ts .tsx .vue .svelte .rb .php .cs .swift .m .lua .pl .pm .r .jl .ex .exs .erl .hs .ml
    .sh .sql .html .jinja .j2 .css .scss
    """.split()  # noqa: SIM905 - a list of strings would be far longer
)
"""Text files read for relevance; others (data, prose, lock files) are left out."""

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "__tests__", "spec", "specs", "testdata"})
_TEST_NAME = re.compile(r"^(?:test_.*|.*_test|conftest|.*\.(?:test|spec))$")


def is_test(path: str) -> bool:
    """Whether `path` belongs to the repository's tests."""
    pure = PurePosixPath(path)
    if _TEST_FOLDERS.intersection(part.lower() for part in pure.parts[:-1]):
        return True
    return bool(_TEST_NAME.match(pure.name.rsplit(".", 1)[0]))


def source_files(codebase: Codebase) -> list[SourceFile]:
    """The source files outside tests that are not empty, in path order."""
    return [
        file
        for path, file in codebase.files.items()
        if PurePosixPath(path).suffix.lower() in SOURCE_SUFFIXES
        and not is_test(path)
        and file.text.strip()
    ]
