"""How a repository's test files are run, judged by the repository's files.

There is no guessing: if it is not clear how a file is run, the file has no vote.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data.languages.test_files import language_of_tests
from selection.settings import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.codebases.codebase import Codebase

_SYMPY = ("sympy/testing/runtests.py", "sympy/utilities/runtests.py")
_NODE_RUNNERS = {
    "jest": "npx --no-install jest --ci",
    "vitest": "npx --no-install vitest run",
    "mocha": "npx --no-install mocha",
}


@dataclass(frozen=True, slots=True)
class Runner:
    """How one test file is run: by a part of `inside.py`, or by a shell command."""

    inside: str = ""
    """"python" (pytest, or unittest where there is none), "django" or "sympy": test by test."""
    command: str = ""
    """A line of POSIX sh. Its exit code is the verdict of the whole file."""


def runner_of(codebase: Codebase, path: str, command: str = "") -> Runner | None:
    """How the test file `path` is run; None: it is not clear.

    `command` is a person's own, with `{files}` where the test file goes.
    """
    if command:
        return Runner(command=command.replace(PLACEHOLDER, shlex.quote(path)))
    find = _BY_LANGUAGE.get(language_of_tests(path))
    return find(codebase, path) if find else None


def _python(codebase: Codebase, path: str) -> Runner:
    files = codebase.files
    if {"tests/runtests.py", "tests/test_sqlite.py"} <= files.keys() and path.startswith("tests/"):
        return Runner("django")
    if path.startswith("sympy/") and any(place in files for place in _SYMPY):
        return Runner("sympy")
    return Runner("python")


def _node(codebase: Codebase, path: str) -> Runner | None:
    folder = _nearest(codebase, path, "package.json")
    if folder is None:
        return None
    try:
        manifest = json.loads(codebase.files[_join(folder, "package.json")].text)
        named = {**manifest.get("dependencies", {}), **manifest.get("devDependencies", {})}
    except (ValueError, AttributeError, TypeError):
        return None
    found = [name for name in _NODE_RUNNERS if name in named]
    if len(found) != 1:
        return None
    return _in(folder, f"{_NODE_RUNNERS[found[0]]} {_below(folder, path)}")


def _go(codebase: Codebase, path: str) -> Runner | None:
    folder = _nearest(codebase, path, "go.mod")
    if folder is None:
        return None
    package = PurePosixPath(path).parent.relative_to(folder or ".")
    return _in(folder, f"go test {shlex.quote(f'./{package}')}")


def _rust(codebase: Codebase, path: str) -> Runner | None:
    crate = PurePosixPath(path).parent.parent.as_posix()
    crate = "" if crate == "." else crate
    if _join(crate, "Cargo.toml") not in codebase.files:
        return None
    return _in(crate, f"cargo test --offline --test {shlex.quote(PurePosixPath(path).stem)}")


def _ruby(codebase: Codebase, path: str) -> Runner | None:
    bundled = "bundle exec " if "Gemfile" in codebase.files else ""
    return _in("", f"{bundled}rspec {shlex.quote(path)}")


def _php(codebase: Codebase, path: str) -> Runner | None:
    for manifest in ("phpunit.xml", "phpunit.xml.dist"):
        folder = _nearest(codebase, path, manifest)
        if folder is not None:
            return _in(folder, f"vendor/bin/phpunit {_below(folder, path)}")
    return None


def _java(codebase: Codebase, path: str) -> Runner | None:
    folder = _nearest(codebase, path, "pom.xml")
    if folder is None:
        return None
    name = PurePosixPath(path).stem
    return _in(folder, f"mvn --offline --quiet --batch-mode -Dtest={shlex.quote(name)} test")


_BY_LANGUAGE: dict[str, Callable[[Codebase, str], Runner | None]] = {
    "python": _python,
    "javascript": _node,
    "typescript": _node,
    "go": _go,
    "rust": _rust,
    "ruby": _ruby,
    "php": _php,
    "java": _java,
}


def _nearest(codebase: Codebase, path: str, manifest: str) -> str | None:
    """The closest folder above `path` that holds `manifest`; "": the repository itself."""
    for parent in PurePosixPath(path).parents:
        folder = "" if parent.as_posix() == "." else parent.as_posix()
        if _join(folder, manifest) in codebase.files:
            return folder
    return None


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _below(folder: str, path: str) -> str:
    return shlex.quote(path.removeprefix(f"{folder}/") if folder else path)


def _in(folder: str, command: str) -> Runner:
    return Runner(command=f"cd {shlex.quote(folder)} && {command}" if folder else command)
