"""Logs of test runners, made by hand in the shapes that the harness's parsers are for."""

from __future__ import annotations

import ast
import os
import subprocess

import pytest

from runs.grading.parsers import PARSERS

CASES = {
    "pytest": (
        "parse_log_pytest",
        """\
collected 6 items
tests/test_a.py .F
PASSED tests/test_a.py::test_one
PASSED tests/test_a.py::test_p[a b]
FAILED tests/test_a.py::test_two - AssertionError: 1 - 2
ERROR tests/test_b.py
SKIPPED [2] tests/test_c.py:3: needs a network
XFAIL tests/test_d.py::test_known - reason
PASSED
""",
        {
            "tests/test_a.py::test_one": "PASSED",
            "tests/test_a.py::test_p[a": "PASSED",
            "tests/test_a.py::test_two": "FAILED",
            "tests/test_b.py": "ERROR",
            "tests/test_d.py::test_known": "XFAIL",
        },
    ),
    "options": (
        "parse_log_pytest_options",
        """\
PASSED t.py::test[/long/way/to/file]
PASSED t.py::test[//host/x]
PASSED t.py::test[/a/*]
FAILED t.py::plain - no
""",
        {
            "t.py::test[/file]": "PASSED",
            "t.py::test[//host/x]": "PASSED",
            "t.py::test[/a/*]": "PASSED",
            "t.py::plain": "FAILED",
        },
    ),
    "version 2": (
        "parse_log_pytest_v2",
        """\
\x1b[32mPASSED\x1b[0m t.py::test[a b]
FAILED t.py::two - assert 1 == 2 - really
t.py::old PASSED
SKIPPED [1] t.py:1: no
ERROR
""",
        {"t.py::test[a b]": "PASSED", "t.py::two": "FAILED", "t.py::old": "PASSED"},
    ),
    "seaborn": (
        "parse_log_seaborn",
        "PASSED t.py::a\nt.py::b PASSED [ 10%]\nFAILED t.py::c - no\nERROR t.py::d\nx y PASSED z\n",
        {"t.py::a": "PASSED", "t.py::b": "PASSED", "t.py::c": "FAILED"},
    ),
    "matplotlib": (
        "parse_log_matplotlib",
        "PASSED t.py::press[MouseButton.LEFT]\nFAILED t.py::press[MouseButton.RIGHT] - no\n",
        {"t.py::press[1]": "PASSED", "t.py::press[3]": "FAILED"},
    ),
    "sympy": (
        "parse_log_sympy",
        """\
sympy/core/tests/test_x.py[4]
test_one ok
test_two F
test_three E
test_four f
______________ sympy/core/tests/test_x.py:test_two ______________
""",
        {
            "test_one": "PASSED",
            "test_two": "FAILED",
            "test_three": "ERROR",
            "sympy/core/tests/test_x.py:test_two": "FAILED",
        },
    ),
    "django": (
        "parse_log_django",
        """\
test_a (app.tests.T) ... ok
test_b (app.tests.T)
A docstring. ... ok
test_c (app.tests.T) ... FAIL
test_d (app.tests.T) ... ERROR
test_e (app.tests.T) ... skipped 'no database'
test_f (app.tests.T) ... some output
ok
test_g (app.tests.T) ... Internal Server Error: /x/
ok
FAIL: test_h (app.tests.T)
ERROR: test_i
FAIL:
""",
        {
            "test_a (app.tests.T)": "PASSED",
            "A docstring.": "PASSED",
            "test_c (app.tests.T)": "FAILED",
            "test_d (app.tests.T)": "ERROR",
            "test_e (app.tests.T)": "SKIPPED",
            "test_f (app.tests.T)": "PASSED",
            "test_g (app.tests.T)": "PASSED",
            "test_h": "FAILED",
            "test_i": "ERROR",
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_statuses_by_test(case: str) -> None:
    name, log, expected = CASES[case]
    assert PARSERS[name](log) == expected


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_harness_reads_the_same(case: str) -> None:
    """Where TROOP_HARNESS_PYTHON names a Python with swebench 5."""
    python = os.environ.get("TROOP_HARNESS_PYTHON")
    if not python:
        pytest.skip("TROOP_HARNESS_PYTHON names no Python with swebench")
    name, log, expected = CASES[case]
    log = log.replace("FAIL:\n", "")  # the harness stops there
    code = (
        "import sys; from swebench.harness.log_parsers import PARSER_REGISTRY as p;"
        f"print(p[{name!r}](sys.stdin.read(), None))"
    )
    done = subprocess.run(
        [python, "-c", code], input=log, capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout.strip().splitlines()[-1]) == expected


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("log", ["", "\n\n", "\x00\ufffd" * 9, "PASSED", " ... \nok", "FAIL:", "E"])
def test_no_parser_fails_on_odd_logs(name: str, log: str) -> None:
    assert isinstance(PARSERS[name](log), dict)
