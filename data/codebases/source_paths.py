"""What a file of a repository is, told by its path: source, test, or somebody else's code."""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data.languages.languages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.codebases.codebase import Codebase
    from data.languages.languages import Language

_BY_SUFFIX = {suffix: each for each in LANGUAGES for suffix in each.suffixes}

SOURCE_SUFFIXES = frozenset(
    {*_BY_SUFFIX, *".m .sql .html .jinja .j2 .css .scss".split()}  # noqa: SIM905 - as one reads it
)
"""Text files that may matter to an issue; others (data, prose, lock files) are left out."""

_TEST_FOLDERS = "tests?|testing|__tests__|specs?|testdata"
_TEST_NAMES = r"test_.*|.*_test|conftest|.*\.(?:test|spec)"
"""Where the suffix names no language."""
_PACKAGES = "node_modules|bower_components|jspm_packages"
_MINIFIED = re.compile(r"[.-]min\.(?:[cm]?js|css)$")

_ASIDE = re.compile(
    "docs?|examples?|samples?|demos?|static|assets|benchmarks?|build|dist|deps|extern(?:al)?"
    "|vendor(?:ed)?|third_?party|3rdparty|_vendor"
)
"""Folders whose files do not tell what a repository is written in."""


def language_of(path: str) -> Language | None:
    """The language of a source file, by its suffix; None where that tells none."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower())


def is_test(path: str) -> bool:
    """Whether `path` belongs to the repository's tests."""
    pure = PurePosixPath(path)
    language = language_of(path)
    folders = _matcher(language.test_folders if language else _TEST_FOLDERS)
    if any(folders(part.lower()) for part in pure.parts[:-1]):
        return True
    names = _matcher(language.test_names if language else _TEST_NAMES)
    return bool(names(pure.name.rsplit(".", 1)[0]))


def is_vendored(path: str) -> bool:
    """Whether `path` is somebody else's code, or made by a tool, by the customs of its language."""
    language = language_of(path)
    own = language.vendored if language else ""
    folders = _matcher(f"{_PACKAGES}|{own}" if own else _PACKAGES)
    parts = PurePosixPath(path).parts[:-1]
    return any(folders(part.lower()) for part in parts) or bool(_MINIFIED.search(path))


def dominant_language(sizes: Mapping[str, int]) -> str:
    """The name of the language that most of the source is in; "python" where nothing tells.

    `sizes`: by path, in any unit. Tests, others' code, examples and documentation do not
    count. Headers are C++ where there is more of that than of C.
    """
    totals: Counter[str] = Counter()
    headers = 0
    for path, size in sizes.items():
        language = language_of(path)
        if language is None or _is_aside(path):
            continue
        totals[language.name] += size
        headers += size if path.lower().endswith(".h") else 0
    if totals["cpp"] > totals["c"] - headers:
        totals["cpp"] += headers
        totals["c"] -= headers
    ranked = totals.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return "python"
    return ranked[0][0]


def guess_language(codebase: Codebase) -> str:
    """`dominant_language` of a codebase's text files."""
    return dominant_language({path: len(file.text) for path, file in codebase.files.items()})


def _is_aside(path: str) -> bool:
    if is_test(path) or is_vendored(path):
        return True
    return any(_ASIDE.fullmatch(part.lower()) for part in PurePosixPath(path).parts[:-1])


@functools.cache
def _matcher(pattern: str) -> functools.partial[re.Match[str] | None]:
    return functools.partial(re.compile(pattern or "(?!)").fullmatch)
