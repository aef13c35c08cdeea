"""Which files are tests, by their path and the table `LANGUAGES`.

The functions differ on purpose. A model does not need to read what only may be a
test, a patch must not lose what only may be one, and a runner looks for names of its own.
"""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath

from data.languages.languages import LANGUAGES, language_of

_ANY_FOLDERS = "tests?|testing|__tests__|specs?|testdata"
_ANY_NAMES = r"test_.*|.*_test|conftest|.*\.(?:test|spec)"
"""For suffixes that belong to no language."""
_NONE = "(?!)"
_ONLY_TESTS = (
    r"(^|/)([Tt]ests|testdata|__tests__|__snapshots__)/|^(test|spec|testing)/"
    r"|(^|/)src/(test|androidTest|integrationTest)/|(^|/)spec/(.*/)?[^/]*\.rb$"
)
"""A folder `test` or `testing` inside a package is often source: django/test, sympy/testing."""


def is_test(path: str) -> bool:
    """Whether `path` belongs to the repository's tests, so that a model does not read it."""
    pure = PurePosixPath(path)
    language = language_of(path)
    folders = language.test_folders if language else _ANY_FOLDERS
    if any(re.fullmatch(folders, part.lower()) for part in pure.parts[:-1]):
        return True
    names = (language.test_names if language else _ANY_NAMES) or _NONE
    return bool(re.fullmatch(names, pure.name.rsplit(".", 1)[0]))


def only_tests() -> str:
    """A regular expression of paths that are tests in any repository, so a patch may lose them."""
    found = [_ONLY_TESTS]
    for each in LANGUAGES:
        names = each.test_names.replace(".*", "[^/]*") or _NONE
        suffixes = "|".join(map(re.escape, each.suffixes))
        found.append(f"(^|/)({names})({suffixes})$")
    return "|".join(found)


def language_of_tests(path: str) -> str:
    """The language whose test runners run `path`, judged by its name; "": none."""
    found = _runnable().search(path)
    return (found and found.lastgroup) or ""


def is_test_file(path: str) -> bool:
    """Whether `path` has the name of a test file that a test runner runs."""
    return bool(language_of_tests(path))


@functools.cache
def _runnable() -> re.Pattern[str]:
    runs = (f"(?P<{each.name}>{each.test_runs})" for each in LANGUAGES if each.test_runs)
    return re.compile("|".join(runs))
