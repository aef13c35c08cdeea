"""Which repository test files are near the edits: a pure function of both.

Three things count for a test file: its name or folder matches an edited file, it
imports one, and it uses the names on the changed lines (rare names count more,
BM25). Each is worth at most about one point.

Names are split as in `agent/prefilter.py`, but weighed here and not by its FTS5,
because a name counts once in a file and by the share of the writers who touch it,
which FTS5 cannot do. The order decides which files vote.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data.languages.languages import language_of
from data.languages.test_files import is_test, is_test_file
from data.languages.words import NAME, PART
from data.patches.changes import changed_lines
from data.patches.litter import litter_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.codebases.codebase import Codebase
    from selection.candidates import Candidate

_TEST_WORDS = frozenset({"test", "tests", "testing", "spec", "specs", "src", "lib"})
_HUNK = re.compile(r"^@@ [^@]*@@ (.+)$", re.MULTILINE)
_FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.MULTILINE)
_DEFINED = re.compile(r"^(?:class|def|async def)[ \t]+(\w+)|^(\w+)[ \t]*=", re.MULTILINE)
_PARENT = 0.7
_BEGINS = 0.5
_FOLDERS = 0.5
_REEXPORTED = 0.8


def nearest_tests(
    codebase: Codebase, candidates: Sequence[Candidate], *, own_command: bool = False
) -> list[str]:
    """The test files that are related to what the candidates edit, nearest first.

    Files that more writers edit count more. A candidate's edits of tests, and scratch
    files that it leaves behind, do not count. A person's own command may run files
    that no runner is known for: with one, if no file has the name of a test file,
    any source file among the tests will do.
    """
    edited, names = _edited(candidates), _names(candidates)
    tests = [path for path in codebase.files if is_test_file(path)]
    if own_command and not tests:
        tests = [path for path in codebase.files if language_of(path) and is_test(path)]
    modules = {path: _Module(codebase, path) for path in edited}
    words = {path: set(NAME.findall(codebase.files[path].text)) for path in tests}
    telling = _telling(names, words.values())
    mean = max(sum(map(len, words.values())), 1) / max(len(words), 1)
    scores = {}
    for test in tests:
        text = codebase.files[test].text
        score = sum(
            weight * (_named_after(test, path) + modules[path].imported_by(text))
            for path, weight in edited.items()
        )
        if telling:
            said = sum(weight for name, weight in telling.items() if name in words[test])
            score += said / sum(telling.values()) * _saturated(len(words[test]) / mean)
        if score > 0:
            scores[test] = score
    return sorted(scores, key=lambda test: (-scores[test], test))


def _edited(candidates: Sequence[Candidate]) -> dict[str, float]:
    """The edited source files, with the share of the writers who edit each."""
    counts: Counter[str] = Counter()
    for candidate in candidates:
        litter = {found.path for found in litter_of(candidate.patch.diff)}
        for change in candidate.patch.files:
            if change.path not in litter and not is_test_file(change.path):
                counts[change.path] += candidate.support
    writers = sum(candidate.support for candidate in candidates)
    return {path: count / writers for path, count in counts.items()}


def _names(candidates: Sequence[Candidate]) -> dict[str, float]:
    """The names on changed lines and in the heads of hunks, with the share of writers."""
    counts: Counter[str] = Counter()
    for candidate in candidates:
        diff = candidate.patch.diff
        litter = {found.path for found in litter_of(diff)}
        lines = [
            line for path, lines in changed_lines(diff) for line in lines if path not in litter
        ]
        text = "\n".join([*lines, *_HUNK.findall(diff)])
        for name in set(NAME.findall(text)):
            counts[name] += candidate.support
    writers = sum(candidate.support for candidate in candidates)
    return {name: count / writers for name, count in counts.items()}


def _telling(names: dict[str, float], texts: Iterable[set[str]]) -> dict[str, float]:
    """The names that some test file uses, weighted by how few do (inverse document frequency)."""
    found: Counter[str] = Counter()
    count = 0
    for words in texts:
        count += 1
        found.update(words & names.keys())
    return {name: names[name] * math.log((count + 1) / used) for name, used in found.items()}


def _saturated(length: float) -> float:
    """What one occurrence counts in a text of this length, where 1 is the mean (BM25)."""
    k, b = 1.2, 0.75
    return (k + 1) / (1 + k * (1 - b + b * length))


def _named_after(test: str, path: str) -> float:
    """From 0 to 1: whether the test file is named or placed after the edited file."""
    *test_folders, test_stem = _parts(test)
    *folders, stem = _parts(path)
    if stem == ["init"]:
        *folders, stem = folders or [stem]
    name = 0.0
    if test_stem and test_stem[-len(stem) :] == stem:
        leading = test_stem[: -len(stem)]
        name = 1.0 if set(leading) <= {word for folder in folders for word in folder} else _BEGINS
    elif folders and test_stem == folders[-1]:
        name = _PARENT
    elif test_stem[: len(stem)] == stem:
        name = _BEGINS
    here = {tuple(folder) for folder in test_folders if folder}
    there = {tuple(folder) for folder in folders if folder}
    placed = len(here & there) / len(here | there) if here | there else 1.0
    return (1 - _FOLDERS) * name + _FOLDERS * placed


def _parts(path: str) -> list[list[str]]:
    """The words of each component, without words that only say that it is a test."""
    pure = PurePosixPath(path)
    names = [*pure.parent.parts, pure.name.split(".")[0]]
    words = [[word.lower() for word in PART.findall(name)] for name in names]
    return [[word for word in component if word not in _TEST_WORDS] for component in words]


class _Module:
    """An edited file, as other files import it."""

    def __init__(self, codebase: Codebase, path: str) -> None:
        self._python = path.endswith(".py")
        pure = PurePosixPath(path)
        parts = [part for part in pure.with_suffix("").parts if part not in {"src", "lib"}]
        if parts[-1:] == ["__init__"]:
            parts.pop()
        self._name = ".".join(parts)
        self._stem = pure.name.split(".")[0]
        text = codebase.files[path].text if path in codebase.files else ""
        self._defines = {a or b for a, b in _DEFINED.findall(text)} if self._python else set()

    def imported_by(self, text: str) -> float:
        """From 0 to 1: whether a test with this text imports it."""
        if not self._python:
            return float(re.search(rf"\b{re.escape(self._stem)}\b", text) is not None)
        best = 0.0
        for source, imported in _FROM.findall(text):
            names = set(NAME.findall(imported))
            if source == self._name or (
                f"{source}.{self._stem}" == self._name and self._stem in names
            ):
                return 1.0
            if self._name.startswith(f"{source}.") and names & self._defines:
                best = _REEXPORTED
        for line in _IMPORT.findall(text):
            if self._name in {part.split()[0] for part in line.split(",") if part.strip()}:
                return 1.0
        return best
