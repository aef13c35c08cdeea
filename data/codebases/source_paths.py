"""What a file of a repository is, judged by its path: source, or somebody else's code."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data.languages.languages import LANGUAGES, language_of
from data.languages.test_files import is_test

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.codebases.codebase import Codebase

SOURCE_SUFFIXES = frozenset(
    {*(suffix for each in LANGUAGES for suffix in each.suffixes)}
    | {*".m .sql .html .jinja .j2 .css .scss".split()}  # noqa: SIM905 - as one reads it
)
"""Text files that may matter to an issue. Data, prose and lock files are left out."""

_PACKAGES = "node_modules|bower_components|jspm_packages"
_MINIFIED = re.compile(r"[.-]min\.(?:[cm]?js|css)$")

_ASIDE = re.compile(
    "docs?|examples?|samples?|demos?|static|assets|benchmarks?|build|dist|deps|extern(?:al)?"
    "|vendor(?:ed)?|third_?party|3rdparty|_vendor"
)
"""Folders whose files do not count towards a repository's language."""


def is_vendored(path: str) -> bool:
    """Whether `path` is usually somebody else's code in its language, or made by a tool."""
    language = language_of(path)
    own = language.vendored if language else ""
    folders = re.compile(f"{_PACKAGES}|{own}" if own else _PACKAGES)
    parts = PurePosixPath(path).parts[:-1]
    return any(folders.fullmatch(part.lower()) for part in parts) or bool(_MINIFIED.search(path))


def dominant_language(sizes: Mapping[str, int]) -> str:
    """The name of the language of most of the source; "python" if there is no source.

    `sizes`: by path, in any unit. Tests, others' code, examples and documentation do not
    count. Headers count as C++ if there is more C++ than C.
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
