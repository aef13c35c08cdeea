"""Reads what test runners print as the status of each test.

The parsers agree with those of the same names in the SWE-bench harness 5
(`swebench/harness/log_parsers/python.py`): the datasets' lists of tests were made
with them, so their quirks are part of the tests' names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

PASSED, FAILED, SKIPPED, ERROR, XFAIL = "PASSED", "FAILED", "SKIPPED", "ERROR", "XFAIL"
_BAD = (FAILED, ERROR)
_STATUSES = (FAILED, PASSED, SKIPPED, ERROR, XFAIL)


class Statuses(dict[str, str]):
    """Status by test. The last report of a test counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.torn: set[str] = set()
        """The tests that were reported both as good and as bad."""
        self.update(pairs)

    def __setitem__(self, name: str, status: str) -> None:
        if name in self and (self[name] in _BAD) is not (status in _BAD):
            self.torn.add(name)
        super().__setitem__(name, status)

    def update(self, pairs: Iterable[tuple[str, str]]) -> None:  # type: ignore[override]  # pairs only
        """Note each pair, in order."""
        for name, status in pairs:
            self[name] = status


_COLOUR = re.compile(r"\[(\d+)m")
_CONTROLS = dict.fromkeys(range(1, 32))
_SKIPS = re.compile(r"\[\d+\]")
_OPTION = re.compile(r"(.*?)\[(.*)\]")


def pytest(log: str) -> Statuses:
    """The short summary of `pytest -rA`: a status, then the test's name up to a blank."""
    return Statuses(_summary(log))


def pytest_options(log: str) -> Statuses:
    """The same, but a path among the parameters is shortened to its last part."""
    return Statuses((_short_option(name), status) for name, status in _summary(log))


def matplotlib(log: str) -> Statuses:
    """The same, but mouse buttons are given by their numbers."""
    return pytest(log.replace("MouseButton.LEFT", "1").replace("MouseButton.RIGHT", "3"))


def pytest_v2(log: str) -> Statuses:
    """Names with blanks, colours, and the status after the name as in older versions of pytest."""
    found = Statuses()
    for raw in log.split("\n"):
        line = _COLOUR.sub("", raw).translate(_CONTROLS)
        if line.startswith(_STATUSES):
            if line.startswith(FAILED):
                line = line.split(" - ", 1)[0]
            words = line.split()
            if len(words) > 1 and not _counts_skips(words):
                found[" ".join(words[1:])] = words[0]
        elif line.endswith(_STATUSES):
            words = line.split()
            if len(words) > 1:
                found[" ".join(words[:-1])] = words[-1]
    return found


def seaborn(log: str) -> Statuses:
    """Only tests that failed or passed. The status may come after the name."""
    found = Statuses()
    for line in log.split("\n"):
        words = line.split()
        if len(words) < 2:  # noqa: PLR2004 - a status and a name
            continue
        if line.startswith(FAILED):
            found[words[1]] = FAILED
        elif f" {PASSED} " in line:
            if words[1] == PASSED:
                found[words[0]] = PASSED
        elif line.startswith(PASSED):
            found[words[1]] = PASSED
    return found


def sympy(log: str) -> Statuses:
    """SymPy's runner: "test_x ok", "test_x F", "test_x E", and a headline for each failure."""
    failures = _SYMPY_FAILURE.findall(log)
    found = Statuses((f"{path}.py:{name}", FAILED) for _, path, name, _ in failures)
    endings = {" E": ERROR, " F": FAILED, " ok": PASSED}
    for line in map(str.strip, log.split("\n")):
        if line.startswith("test_"):
            for ending, status in endings.items():
                if line.endswith(ending):
                    found[line.split()[0]] = status
    return found


_SYMPY_FAILURE = re.compile(r"(_*) (.*)\.py:(.*) (_*)")


def django(log: str) -> Statuses:
    """Unittest's verbose lines as Django's runner prints them, even if output interrupts them."""
    found = Statuses()
    begun: str | None = None
    for line in map(str.strip, log.split("\n")):
        if _VERSION_TEST in line:
            found[_VERSION_TEST] = PASSED
        if " ... " in line:
            begun = line.split(" ... ")[0]
        found.update(_django_line(line))
        if line.startswith("ok") and begun is not None:
            found[begun] = PASSED
    for pattern in _DJANGO_CUT_UP:
        found.update((match[1], PASSED) for match in pattern.finditer(log))
    return found


_VERSION_TEST = "--version is equivalent to version"
_DJANGO_PASSES = (" ... ok", " ... OK", " ...  OK")
_DJANGO_OTHERS = ((" ... FAIL", FAILED), (" ... ERROR", ERROR))
_DJANGO_MIGRATION = "Applying sites.0002_alter_domain_unique...test_no_migrations"
_DJANGO_CUT_UP = tuple(
    re.compile(rf"^(.*?)\s\.\.\.\s{output}\nok$", re.MULTILINE)
    for output in (
        r"Testing against Django installed in (?:(?s:.*?)) silenced\)\.",
        r"Internal Server Error: \/(?:.*)\/",
        r"System check identified no issues \(0 silenced\)",
    )
)


def _django_line(line: str) -> Iterator[tuple[str, str]]:
    for ending in _DJANGO_PASSES:
        if line.endswith(ending):
            whole = line
            if line.startswith(_DJANGO_MIGRATION):
                whole = line.split("...", 1)[-1].strip()
            yield whole.rsplit(ending, 1)[0], PASSED
            break
    if " ... skipped" in line:
        yield line.split(" ... skipped", maxsplit=1)[0], SKIPPED
    for ending, status in _DJANGO_OTHERS:
        if line.endswith(ending):
            yield line.split(ending, maxsplit=1)[0], status
        headline = f"{ending.removeprefix(' ... ')}:"
        words = line.split()
        if line.startswith(headline) and len(words) > 1:
            yield words[1], status


def _summary(log: str) -> Iterator[tuple[str, str]]:
    for line in log.split("\n"):
        if line.startswith(_STATUSES):
            words = (line.replace(" - ", " ") if line.startswith(FAILED) else line).split()
            if len(words) > 1 and not _counts_skips(words):
                yield words[1], words[0]


def _counts_skips(words: list[str]) -> bool:
    """Whether it is `SKIPPED [3] path:line: reason`, whose second word is not a test."""
    return words[0] == SKIPPED and bool(_SKIPS.fullmatch(words[1]))


def _short_option(name: str) -> str:
    match = _OPTION.search(name)
    if not match:
        return name
    main, option = match.groups()
    if option.startswith("/") and not option.startswith("//") and "*" not in option:
        option = "/" + option.split("/")[-1]
    return f"{main}[{option}]"


PARSERS: Mapping[str, Callable[[str], Statuses]] = {
    **dict.fromkeys(
        (
            *("pytest", "parse_log_pytest", "parse_log_astroid", "parse_log_flask"),
            *("parse_log_marshmallow", "parse_log_pvlib", "parse_log_pyvista"),
            *("parse_log_sqlfluff", "parse_log_xarray"),
        ),
        pytest,
    ),
    **dict.fromkeys(
        (
            *("parse_log_pytest_options", "parse_log_pydicom"),
            *("parse_log_requests", "parse_log_pylint"),
        ),
        pytest_options,
    ),
    **dict.fromkeys(
        (
            *("parse_log_pytest_v2", "parse_log_astropy"),
            *("parse_log_scikit", "parse_log_sphinx"),
        ),
        pytest_v2,
    ),
    "parse_log_matplotlib": matplotlib,
    "parse_log_seaborn": seaborn,
    "parse_log_django": django,
    "unittest": django,
    "parse_log_sympy": sympy,
}
"""The parsers by their names in a row's column `log_parser`."""
