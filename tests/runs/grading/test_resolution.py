"""When a patch resolves an instance, by the rule of the harness."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runs.grading.nouns import Counts
from runs.grading.resolution import BEGIN, END, RunnerOutput
from runs.grading.resolution import resolution as resolution_of
from tests.support.graded import spec_of

if TYPE_CHECKING:
    from pathlib import Path

    from data.instances.grading import GradingSpec
    from runs.grading.resolution import Resolution


def log(*lines: str) -> str:
    return "\n".join(["before", f"+ : '{BEGIN}'", *lines, f"+ : '{END}'"])


def resolution(
    spec: GradingSpec, text: str, *, code: int | None = None, command: str = ""
) -> Resolution:
    """The resolution of a log whose test command is what ran between the marks."""
    output = text.partition(BEGIN)[2].rpartition(END)
    run = RunnerOutput(output[0], code, command) if output[1] else None
    return resolution_of(spec, text, run)


@pytest.mark.parametrize(
    ("fixed", "kept", "resolved"),
    [
        ("PASSED", "PASSED", True),
        ("XFAIL", "XFAIL", True),
        ("PASSED", "SKIPPED", True),
        ("SKIPPED", "PASSED", False),
        ("FAILED", "PASSED", False),
        ("ERROR", "PASSED", False),
        ("PASSED", "FAILED", False),
        ("PASSED", "ERROR", False),
        ("PASSED", None, False),
        (None, "PASSED", False),
    ],
)
def test_when_a_patch_is_resolved(
    tmp_path: Path, fixed: str | None, kept: str | None, resolved: bool
) -> None:
    lines = [f"{s} {t}" for s, t in ((fixed, "f.py::f"), (kept, "k.py::k")) if s]
    spec = spec_of(tmp_path, FAIL_TO_PASS=["f.py::f"], PASS_TO_PASS=["k.py::k"])
    assert resolution(spec, log(*lines)).resolved is resolved


def test_a_shortened_name_stands_for_all_names_that_begin_with_it(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FAIL_TO_PASS=["t.py::t[a"], PASS_TO_PASS=["t.py::u"])
    alike = log("PASSED t.py::t[a,b]", "XFAIL t.py::t[a,c]", "PASSED t.py::u")
    mixed = log("PASSED t.py::t[a,b]", "FAILED t.py::t[a,c]", "PASSED t.py::u")
    whole = log("PASSED t.py::t[a]", "PASSED t.py::u2")
    assert resolution(spec, alike).resolved
    assert not resolution(spec, mixed).resolved
    assert resolution(spec, whole).counts("PASS_TO_PASS") == Counts(0, 1)


def test_fail_only_takes_what_is_not_reported_for_passed(tmp_path: Path) -> None:
    spec = spec_of(
        tmp_path, eval_type="fail_only", FAIL_TO_PASS=["t.py::a"], PASS_TO_PASS=["t.py::b"]
    )
    assert resolution(spec, log("PASSED t.py::other")).resolved
    assert not resolution(spec, log("FAILED t.py::b")).resolved
    assert not resolution(spec, log("nothing at all")).resolved


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("PASSED f.py::f", "not begun"),
        (f"{BEGIN}\nPASSED f.py::f", "not ended"),
        (log("PASSED f.py::f", ">>>>> Tests Errored"), "Tests Errored"),
        (log("no test"), "names no test"),
        (log("PASSED f.py::f", "PASSED k.py::k"), "exit code 1"),
        ("PASSED f.py::f\nPASSED k.py::k\n" + log("nothing"), "names no test"),
    ],
)
def test_a_log_without_results_resolves_nothing(tmp_path: Path, text: str, why: str) -> None:
    spec = spec_of(tmp_path, FAIL_TO_PASS=["f.py::f"], PASS_TO_PASS=["k.py::k"])
    found = resolution(spec, text, code=1)
    assert not found.resolved
    assert why in found.why
    assert found.counts("FAIL_TO_PASS") is None


def test_an_exit_code_that_the_log_explains_does_not_matter(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FAIL_TO_PASS=["f.py::f"], PASS_TO_PASS=["k.py::k"])
    text = log("PASSED f.py::f", "PASSED k.py::k", "FAILED other.py::o")
    found = resolution(spec, text, code=1)
    assert found.resolved
    assert json.loads(found.report())["tests_status"]["FAIL_TO_PASS"]["success"] == ["f.py::f"]


SUMMARY = "========= 2 passed, 1 skipped in 0.05s ========="
BOTH = ("PASSED f.py::f", "PASSED k.py::k")


@pytest.mark.parametrize(
    ("command", "lines", "why"),
    [
        ("python -m pytest -rA f.py", (*BOTH, SUMMARY), ""),
        ("pytest -rA f.py", (*BOTH, "\x1b[32m2 passed\x1b[0m in 61.5s (0:01:01)"), ""),
        ("pytest -rA f.py", (*BOTH, "1 passed in 0.1s", "1 passed in 0.1s"), ""),
        ("pytest f.py", BOTH, "did not come to its end"),
        ("pytest f.py", (*BOTH, "== 1 passed, 1 warning in 0.05s =="), "2 tests are reported"),
        ("pytest f.py", (*BOTH, "== no tests ran in 0.05s =="), "2 tests are reported"),
        ("pytest f.py", (*BOTH, "FAILED f.py::f - no", SUMMARY), None),
        ("pytest f.py", ("FAILED f.py::f - no", *BOTH, SUMMARY), "both that f.py::f passed"),
        ("./tests/runtests.py", (*BOTH, "Ran 2 tests in 0.1s"), ""),
        ("./tests/runtests.py", BOTH, "did not come to its end"),
        ("bin/test -C", (*BOTH, "== tests finished: 2 passed, in 1.0 seconds =="), ""),
        ("bin/test -C", BOTH, "did not come to its end"),
        ("./of-their-own", BOTH, ""),
    ],
)
def test_printed_results_need_a_sign_that_tests_ran(
    tmp_path: Path, command: str, lines: tuple[str, ...], why: str | None
) -> None:
    spec = spec_of(tmp_path, FAIL_TO_PASS=["f.py::f"], PASS_TO_PASS=["k.py::k"])
    found = resolution(spec, log(*lines), code=0, command=command)
    assert found.resolved is (why == "")
    assert (why or "") in found.why
