"""The scripts that run a test file, run for real: pytest, unittest, and stand-ins for two more."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from sandbox.protocol import Ending, Execution, Script
from selection.regression import inside, scripts
from selection.regression.runners import Runner
from selection.regression.scripts import (
    Survey,
    broken_tests,
    read_survey,
    survey_script,
    vote_script,
)
from tests.support.started import started, without_word

pytestmark = pytest.mark.slow

PYTHON = Runner("python")
TESTS = """
import unittest

import pytest

from calc import mean


def test_two():
    assert mean([1, 3]) == 2


@pytest.mark.parametrize("n", [1, 2, 3])
def test_some(n):
    assert mean([n]) == n


def test_fails_before():
    assert mean([]) == 0


@pytest.mark.skip
def test_skipped():
    pass


@pytest.mark.xfail
def test_expected_to_fail():
    assert mean([]) == 0


class Old(unittest.TestCase):
    def test_three(self):
        self.assertEqual(mean([3]), 3)
"""
UNITTEST = """
import unittest

from calc import mean


class Old(unittest.TestCase):
    def test_two(self):
        print("noise", flush=True)
        self.assertEqual(mean([1, 3]), 2)

    def test_three(self):
        self.assertEqual(mean([3]), 3)

    def test_fails_before(self):
        self.assertEqual(mean([]), 0)

    @unittest.skip("not here")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_expected_to_fail(self):
        self.assertEqual(mean([]), 0)

    def test_parts(self):
        for n in (1, 2):
            with self.subTest(n=n):
                self.assertEqual(mean([n]), n)
"""
MEAN = "def mean(values):\n    return sum(values) / len(values)\n"
ROUNDED = "def mean(values):\n    return round(sum(values) / len(values)) + (len(values) == 1)\n"


class Repository:
    """A folder in which scripts run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hidden = folder / "hidden"
        self.put("calc.py", MEAN)

    def put(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def hide_pytest(self) -> None:
        """As in an environment that lacks it."""
        self.put("hidden/pytest.py", "raise ImportError('not installed')\n")

    def run(self, script: Script) -> Execution:
        tools = self.folder.with_name("tools")
        tools.mkdir(exist_ok=True)
        words = started(script, tools, f"{self.hidden}:{self.folder}")
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        output = without_word(done.stdout) + done.stderr
        return Execution(Ending.EXITED, done.returncode, output, len(output), 0.1)

    def survey(self, path: str, runner: Runner = PYTHON) -> Survey | None:
        return read_survey(self.run(survey_script(runner, path)))

    def vote(self, path: str, surveyed: Survey, runner: Runner = PYTHON) -> Execution:
        return self.run(vote_script(runner, path, surveyed))


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repo")


def votes(repository: Repository, path: str, surveyed: Survey, runner: Runner = PYTHON) -> None:
    """What passed passes still; with an edit that breaks two, they are named."""
    unedited = repository.vote(path, surveyed, runner)
    assert (unedited.exit_code, broken_tests(unedited.output)) == (0, None), unedited.output
    repository.put("calc.py", ROUNDED)
    edited = repository.vote(path, surveyed, runner)
    assert edited.exit_code == 2, edited.output
    assert "test_three" in edited.output
    assert "fails_before" not in edited.output


def test_with_pytest(repository):
    repository.put("tests/test_calc.py", TESTS)
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    assert (surveyed.passed, surveyed.failing) == (5, 1)
    assert surveyed.failed == ("tests/test_calc.py::test_fails_before",)
    votes(repository, "tests/test_calc.py", surveyed)
    broken = repository.vote("tests/test_calc.py", surveyed)
    assert broken_tests(broken.output) == 4
    assert "tests/test_calc.py::test_some[2]: assert 3 == 2" in broken.output


@pytest.mark.parametrize("text", [UNITTEST])
def test_with_unittest_where_pytest_is_not_there(repository, text):
    repository.hide_pytest()
    repository.put("tests/test_calc.py", text)
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    assert (surveyed.passed, surveyed.failing) == (3, 1)
    assert surveyed.failed == ("tests.test_calc.Old.test_fails_before",)
    votes(repository, "tests/test_calc.py", surveyed)
    broken = repository.vote("tests/test_calc.py", surveyed)
    assert broken_tests(broken.output) == 2  # one of them by its parts
    assert "AssertionError" in broken.output


DJANGO = """
import argparse, sys, unittest

parser = argparse.ArgumentParser()
parser.add_argument("labels", nargs="*")
parser.add_argument("--settings")
parser.add_argument("--parallel", type=int)
given = parser.parse_args()
assert (given.settings, given.parallel) == ("test_sqlite", 1), given
import of_the_tests_folder
suite = unittest.defaultTestLoader.loadTestsFromNames(given.labels)
result = unittest.TextTestRunner().run(suite)
sys.exit(bool(result.failures or result.errors))
"""


def test_with_djangos_runner(repository):
    """A stand-in with Django's arguments; the real one was tried on its images."""
    repository.put("tests/runtests.py", DJANGO)
    repository.put("tests/of_the_tests_folder.py", "")
    repository.put("tests/forms/tests/test_calc.py", UNITTEST)
    runner, path = Runner("django"), "tests/forms/tests/test_calc.py"
    surveyed = repository.survey(path, runner)
    assert surveyed is not None
    assert surveyed.failed == ("forms.tests.test_calc.Old.test_fails_before",)
    assert surveyed.passed == 3
    votes(repository, path, surveyed, runner)


SYMPY = """
import sys

class PyTestReporter:
    _active_f = None
    def test_pass(self, char="."): pass
    def test_fail(self, exc_info): pass
    def test_exception(self, exc_info): pass
    def test_skip(self, v=None): pass
    def test_xfail(self): pass
    def test_xpass(self, v): pass

def test(path, subprocess=True, colors=True):
    assert not subprocess
    reporter, names = PyTestReporter(), {}
    exec(open(path).read(), names)
    for name, function in names.items():
        if name.startswith("test_"):
            reporter._active_f = function
            try:
                function()
            except AssertionError:
                reporter.test_fail(sys.exc_info())
            except Exception:
                reporter.test_exception(sys.exc_info())
            else:
                reporter.test_pass()
"""


@pytest.mark.parametrize("place", ["testing", "utilities"])
def test_with_sympys_runner(repository, place):
    """A stand-in with SymPy's reporter; the real one was tried on its images."""
    repository.put(f"sympy/{place}/runtests.py", SYMPY)
    repository.put("sympy/__init__.py", f"from sympy.{place}.runtests import test\n")
    path = "sympy/core/tests/test_calc.py"
    repository.put(
        path,
        "from calc import mean\n"
        "def test_two(): assert mean([1, 3]) == 2\n"
        "def test_three(): assert mean([3]) == 3\n"
        "def test_fails_before(): mean([])\n",
    )
    runner = Runner("sympy")
    surveyed = repository.survey(path, runner)
    assert surveyed is not None
    assert (surveyed.passed, surveyed.failed) == (2, ("test_fails_before",))
    votes(repository, path, surveyed, runner)


@pytest.mark.parametrize("runner", ["django", "sympy"])
def test_what_keeps_the_runner_from_starting_breaks_all(repository, runner):
    repository.put("sympy/__init__.py", "raise RuntimeError('not any more')\n")
    repository.put("tests/runtests.py", "import sympy\n")
    surveyed = Survey(3, 0, ())
    edited = repository.vote("tests/test_calc.py", surveyed, Runner(runner))
    assert (edited.exit_code, broken_tests(edited.output)) == (2, 3)
    assert "RuntimeError: not any more" in edited.output
    assert repository.survey("tests/test_calc.py", Runner(runner)) is None


def test_tests_that_are_gone_are_broken(repository):
    """An edit after which the module cannot be imported breaks all of them."""
    repository.put("tests/test_calc.py", TESTS)
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    repository.put("calc.py", "def average(values):\n    return 0\n")
    gone = repository.vote("tests/test_calc.py", surveyed)
    assert gone.exit_code == 2
    assert broken_tests(gone.output) == 5
    assert "cannot import name 'mean'" in gone.output


def test_a_broken_conftest_breaks_all(repository):
    """Pytest ends without having run anything."""
    repository.put("tests/test_calc.py", TESTS)
    repository.put("tests/conftest.py", "from calc import mean\n")
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    repository.put("calc.py", "raise RuntimeError('not any more')\n")
    gone = repository.vote("tests/test_calc.py", surveyed)
    assert (gone.exit_code, broken_tests(gone.output)) == (2, 5)
    assert "not any more" in gone.output


def test_a_test_that_failed_before_may_pass(repository):
    repository.put("tests/test_calc.py", TESTS)
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    repository.put("calc.py", MEAN.rstrip() + " if values else 0\n")
    assert repository.vote("tests/test_calc.py", surveyed).passed


@pytest.mark.parametrize("leave", ["import os; os._exit(0)", "import sys; sys.exit(0)"])
def test_an_early_end_is_no_pass(repository, leave):
    """At import or in a test, by exit code 0 or not: what has not run has not passed."""
    repository.put("tests/test_calc.py", TESTS)
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    repository.put("calc.py", f"def mean(values):\n    {leave}\n")
    left = repository.vote("tests/test_calc.py", surveyed)
    assert left.exit_code in {1, 2}


def test_what_cannot_be_run_is_told_with_what_it_printed(repository):
    repository.put("tests/test_calc.py", "import os\nprint('why', flush=True)\nos._exit(3)\n")
    repository.put("setup.cfg", "[tool:pytest]\naddopts = -s\n")
    asked = repository.run(survey_script(PYTHON, "tests/test_calc.py"))
    assert (asked.exit_code, read_survey(asked)) == (1, None)
    assert "why" in asked.output
    assert "tests/test_calc.py: its tests could not be run (exit code 3)" in asked.output


def test_options_of_a_plugin_that_is_not_there_are_left_out(repository):
    repository.put("tests/test_calc.py", TESTS)
    repository.put("pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    assert surveyed.passed == 5


def test_too_many_failing_tests_are_counted_only(repository):
    lines = [f"def test_{'long_name' * 9}_{n}(): assert False" for n in range(50)]
    repository.put("tests/test_calc.py", "\n".join(lines))
    asked = repository.run(survey_script(PYTHON, "tests/test_calc.py"))
    assert len(asked.output) < 4000
    surveyed = read_survey(asked)
    assert surveyed is not None
    assert (surveyed.failing, surveyed.failed) == (50, None)


def test_many_broken_tests_are_told_in_short(repository):
    tests = "from calc import mean\n" + "\n".join(
        f"def test_{n}(): assert mean([1, 3]) == 2, 'x' * 5000" for n in range(200)
    )
    repository.put("tests/test_calc.py", tests)
    surveyed = repository.survey("tests/test_calc.py")
    assert surveyed is not None
    repository.put("calc.py", "def mean(values):\n    return 7\n")
    broken = repository.vote("tests/test_calc.py", surveyed)
    assert broken_tests(broken.output) == 200
    assert len(broken.output) < 8192  # what is kept of an output


@pytest.mark.parametrize(
    ("command", "code"), [("true", 0), ("false", 2), ("exit 3", 2), ("no-such-program", 1)]
)
def test_a_commands_exit_code_is_the_verdict_on_the_file(repository, command, code):
    script = survey_script(Runner(command=command), "a.test.js")
    assert script == vote_script(Runner(command=command), "a.test.js", Survey(0, 0, ()))
    assert (script.interpreter, script.suffix) == ("sh", ".sh")
    assert repository.run(script).exit_code == code


@pytest.mark.parametrize(
    "output",
    ["", "done", "{}", "[1]", '{"passed": "x", "failing": 0}', '{"passed": 1, "failing": null}'],
)
def test_a_survey_that_cannot_be_read(output):
    assert read_survey(Execution(Ending.EXITED, 0, output, 0, 0.1)) is None


def test_the_program_is_for_old_pythons_too():
    text = Path(inside.__file__).read_text()
    ast.parse(text, feature_version=(3, 5))
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.JoinedStr)]
    assert scripts._program() == text


def test_a_name_that_looks_like_a_count_is_not_one(repository):
    forged = "\\n0 of 1 tests that passed before the edit do not pass\\n"
    tests = f"""
import pytest
from calc import mean

@pytest.mark.parametrize("n", [1], ids=["{forged}"])
def test_one(n):
    assert mean([1, 3]) == 2, "{forged}"
"""
    repository.put("tests/test_calc.py", tests)
    surveyed = repository.survey("tests/test_calc.py")
    repository.put("calc.py", "def mean(values):\n    return 7\n")
    broken = repository.vote("tests/test_calc.py", surveyed)
    assert broken.exit_code == 2
    assert broken_tests(broken.output) == 1


def test_no_broken_test_is_not_a_count():
    assert broken_tests("0 of 2 tests that passed before the edit do not pass\n") is None
    assert broken_tests(f"{'9' * 5000} of 2 tests that passed before the edit do not pass") is None
