"""Runs one of the repository's own test files and tells what became of its tests.

The text of this file, followed by a call of `main`, is a script for a sandbox. It
uses the standard library only and runs on any Python from 3.5 on, so that old
repositories can be asked too. It never imports the repository. The tests run in a
child process: what they print, and how they end it, does not touch the verdict. The
child writes its results into a file without a name, and behind them a word that it
reads only at its end.

Without "expected" it is a survey: what passes, and what fails, as JSON in the last
line. With it, it is a test: 0 if every test that passed in the survey still
passes, 2 if some do not, 1 if nothing can be told.
"""

import os
import sys

if __name__ == "__main__":
    _HERE = os.path.realpath(os.getcwd()) + "/"
    sys.path[:] = [f for f in sys.path if not (os.path.realpath(f) + "/").startswith(_HERE)]

import base64
import collections
import hashlib
import importlib
import json
import runpy
import subprocess
import tempfile
import unittest
from posix import lseek, read, write
from typing import Any, Dict, Optional

PASSED, FAILED, OTHER = "passed", "failed", "other"
NAMED = 20
"""Broken tests that are told by name."""
WIDTH = 200
TOLD = 500
"""Characters of what the tests printed, where none of them passes any more."""
LONGEST = 3000
"""Characters of the names of failing tests that a survey tells."""
MARK = 3
"""Bytes of a passing test's name, hashed, that a survey tells."""
MARKS = 1000
"""With more passing tests, a survey only tells their number."""


def main(order: Dict[str, Any]) -> None:
    """Do what `order` says and exit."""
    if len(sys.argv) > 1:
        _child(order, int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
        return
    code, tail, found = _ask_child()
    if found is None:
        print(tail)
        print("{}: its tests could not be run (exit code {})".format(order["file"], code))
        sys.exit(1)
    if "expected" in order:
        if PASSED not in found["said"].values():
            print(tail[-TOLD:])
        sys.exit(_compare(order, found["said"], found["why"]))
    sys.exit(_survey(found["said"], found["why"]))


def _ask_child():  # type: () -> Any
    """The child's exit code, the end of what it printed, and its results."""
    word = base64.b16encode(os.urandom(16))
    env = dict(os.environ, PYTHONHASHSEED="0")
    folders = env.pop("PYTHONPATH", "")  # Python would load modules from there while it starts
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as results:
        with tempfile.TemporaryFile() as secret:
            secret.write(word)
            secret.flush()
            handed = (secret.fileno(), results.fileno())
            script = os.path.abspath(__file__)
            code = subprocess.call(
                [sys.executable, "-S", script, str(handed[0]), str(handed[1]), folders],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                pass_fds=handed,
            )
        output.seek(max(0, output.seek(0, 2) - 1500))
        tail = output.read().decode("utf-8", "replace")
        results.seek(0)
        text = results.read()
    if not text.endswith(word):
        return code, tail, None
    return code, tail, json.loads(text[: -len(word)].decode("utf-8"))


def _mark(name: str) -> str:
    """A short text for the name of a test."""
    found = hashlib.sha256(name.encode("utf-8", "replace")).digest()[:MARK]
    return base64.b64encode(found).decode("ascii")


def _survey(said: Dict[str, str], why: Dict[str, str]) -> int:
    """Tell what passes and what fails."""
    failed = sorted(name for name in said if said[name] == FAILED)
    told = {
        "passed": sum(value == PASSED for value in said.values()),
        "failing": len(failed),
        "cpu_s": round(sum(os.times()[2:4]), 1),
    }  # type: Dict[str, Any]
    passed = sorted(name for name in said if said[name] == PASSED)
    if len(passed) <= MARKS:
        told["marks"] = "".join(map(_mark, passed))
    if len(json.dumps(failed)) <= LONGEST:
        told["failed"] = failed
    for name in sorted(why)[:3]:
        print("{}: {}".format(name, why[name])[:WIDTH])
    print(json.dumps(told))
    return 0


def _compare(order: Dict[str, Any], said: Dict[str, str], why: Dict[str, str]) -> int:
    """Tell what broke.

    Names are compared by their marks. Thousands of them would not fit, so with very many
    tests only their number is: those that neither pass nor fail now, though they passed,
    are missing.
    """
    known = set(order["known"])
    expected = order["expected"]
    broken = sorted(name for name in said if said[name] == FAILED and name not in known)
    passing = [name for name, value in said.items() if value == PASSED and name not in known]
    passed = len(passing)
    if order.get("marks"):
        wanted, size = order["marks"], len(_mark(""))
        left = collections.Counter(wanted[i : i + size] for i in range(0, len(wanted), size))
        passed = sum((left & collections.Counter(map(_mark, passing))).values())
    count = max(len(broken), expected - passed)
    if count <= 0:
        print("all {} tests that passed before the edit still pass".format(expected))
        return 0
    print("{} of {} tests that passed before the edit do not pass".format(count, expected))
    for name in broken[:NAMED]:
        print(_line(name, why.get(name, "")))
    if count > len(broken[:NAMED]):
        print("  and {} more".format(count - len(broken[:NAMED])))
    for name in sorted(set(why) - set(said))[:3]:
        print(_line(name, why[name]))
    return 2


def _line(name: str, why: str) -> str:
    """One line, whatever a name or a reason holds: it must not look like a count."""
    return "  " + " ".join("{}: {}".format(name, why).split())[: WIDTH - 2]


class _Results:
    """What each test said, and why those failed that did."""

    def __init__(self) -> None:
        self.said = collections.OrderedDict()  # type: Dict[str, str]
        self.why = {}  # type: Dict[str, str]

    def add(self, name: str, said: str, why: object = "") -> None:
        """Note a result; once failed, a test has failed."""
        if self.said.get(name) != FAILED:
            self.said[name] = said
        if why:
            lines = str(why).strip().splitlines() or [""]
            self.why.setdefault(name, lines[0][:WIDTH])


def _child(order: Dict[str, Any], secret: int, place: int, folders: str) -> None:
    """Run the tests; the results go to the open file `place`, and then the word in `secret`."""
    del sys.argv[1:]
    end = os._exit
    importlib.import_module("start").enter(folders, os.environ.get("TROOP_HIDDEN", ""))
    sys.path.insert(0, os.getcwd())
    results = _Results()
    try:
        _RUNNERS[order["runner"]](order["file"], results)
    except Exception as error:
        if "expected" not in order:
            raise
        # It ran before the edit, so whatever keeps it from running now is the edit's.
        results.why[order["file"]] = "{}: {}".format(type(error).__name__, error)[:WIDTH]
    sys.stdout.flush()
    text = json.dumps({"said": results.said, "why": results.why}).encode("utf-8")
    lseek(secret, 0, 0)
    text += read(secret, 99)
    while text:
        text = text[write(place, text) :]
    end(0)  # a thread that a test left behind does not keep us


def _python(file: str, results: _Results) -> None:
    """Use pytest where it is installed, else unittest."""
    try:
        import pytest
    except ImportError:
        _unittest(file, results)
        return
    words = ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "-q", "--tb=short"]
    usage_error, nothing_found = 4, 5
    code = pytest.main([*words, file], plugins=[_Recorder(results)])
    if code == usage_error and not results.said:
        code = pytest.main([*words, "-o", "addopts=", file], plugins=[_Recorder(results)])
    if code not in (0, 1, 2, nothing_found):
        reason = "pytest ends with exit code {}".format(int(code))
        raise RuntimeError(reason)


class _Recorder:
    """A plugin for pytest."""

    def __init__(self, results: _Results) -> None:
        self._results = results

    def pytest_runtest_logreport(self, report: Any) -> None:
        """See pytest."""
        if report.failed:
            self._results.add(report.nodeid, FAILED, self._reason(report))
        elif report.skipped or hasattr(report, "wasxfail"):
            self._results.add(report.nodeid, OTHER)
        elif report.passed and report.when == "call":
            self._results.add(report.nodeid, PASSED)

    def pytest_collectreport(self, report: Any) -> None:
        """See pytest."""
        if report.failed:
            reason = str(report.longrepr).strip().splitlines()
            self._results.why[report.nodeid] = reason[-1] if reason else "not collected"

    def _reason(self, report: Any) -> object:
        crash = getattr(report.longrepr, "reprcrash", None)
        return crash.message if crash is not None else report.longrepr


def _unittest(file: str, results: _Results) -> None:
    _record_unittest(results)
    unittest.main(module=None, argv=["unittest", file], exit=False)


def _django(file: str, results: _Results) -> None:
    """Use Django's own runner; a file's label is its path below tests/, with dots."""
    _record_unittest(results)
    folder, path = file.split("/", 1)
    label = path[: -len(".py")].replace("/", ".")
    runner = os.path.join(folder, "runtests.py")
    sys.argv[:] = [runner, "--settings=test_sqlite", "--parallel=1", label]
    sys.path.insert(0, os.path.abspath(folder))
    try:
        runpy.run_path(runner, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0, 1, True):
            raise


def _record_unittest(results: _Results) -> None:
    """Listen to every test result of unittest, whichever class it is of."""

    def note(method: str, said: str) -> None:
        original = getattr(unittest.TestResult, method)

        def listen(self: Any, test: Any, *details: Any) -> Any:
            failed = said == FAILED and details and isinstance(details[0], tuple)
            results.add(
                test.id(), said, "{0[0].__name__}: {0[1]}".format(details[0]) if failed else ""
            )
            return original(self, test, *details)

        setattr(unittest.TestResult, method, listen)

    for method, said in (
        ("addSuccess", PASSED),
        ("addFailure", FAILED),
        ("addError", FAILED),
        ("addSkip", OTHER),
        ("addExpectedFailure", OTHER),
        ("addUnexpectedSuccess", OTHER),
    ):
        note(method, said)
    original = unittest.TestResult.addSubTest

    def subtest(self: Any, test: Any, part: Any, error: Optional[Any]) -> Any:
        if error is not None:
            results.add(test.id(), FAILED, "{0[0].__name__}: {0[1]}".format(error))
        return original(self, test, part, error)

    setattr(unittest.TestResult, "addSubTest", subtest)  # noqa: B010 - mypy


def _sympy(file: str, results: _Results) -> None:
    """Use SymPy's own runner."""
    sympy = importlib.import_module("sympy")
    try:
        runtests = importlib.import_module("sympy.testing.runtests")
    except ImportError:
        runtests = importlib.import_module("sympy.utilities.runtests")
    _record_sympy(runtests.PyTestReporter, results)
    sympy.test(file, subprocess=False, colors=False)


def _record_sympy(reporter: Any, results: _Results) -> None:
    def note(method: str, said: str) -> None:
        original = getattr(reporter, method)

        def listen(self: Any, *details: Any) -> Any:
            test = getattr(self, "_active_f", None)
            why = ""
            if details and isinstance(details[0], tuple):
                why = "{0[0].__name__}: {0[1]}".format(details[0])
            results.add(getattr(test, "__name__", "the file"), said, why)
            return original(self, *details)

        setattr(reporter, method, listen)

    for method, said in (
        ("test_pass", PASSED),
        ("test_fail", FAILED),
        ("test_exception", FAILED),
        ("test_skip", OTHER),
        ("test_xfail", OTHER),
        ("test_xpass", OTHER),
    ):
        note(method, said)


_RUNNERS = {"python": _python, "django": _django, "sympy": _sympy}
