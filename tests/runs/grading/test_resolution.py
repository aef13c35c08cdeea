"""When a patch resolves an instance, by the rule of the harness."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runs.grading.nouns import Counts
from runs.grading.resolution import BEGIN, END, EXIT_CODE, resolution
from tests.support.graded import spec_of

if TYPE_CHECKING:
    from pathlib import Path


def log(*lines: str, code: int | None = None) -> str:
    after = [] if code is None else [f"{EXIT_CODE}: {code}"]
    return "\n".join(["before", f"+ : '{BEGIN}'", *lines, f"+ : '{END}'", *after])


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
        (log("PASSED f.py::f", "PASSED k.py::k", code=1), "exit code 1"),
    ],
)
def test_a_log_without_results_resolves_nothing(tmp_path: Path, text: str, why: str) -> None:
    spec = spec_of(tmp_path, FAIL_TO_PASS=["f.py::f"], PASS_TO_PASS=["k.py::k"])
    found = resolution(spec, text)
    assert not found.resolved
    assert why in found.why
    assert found.counts("FAIL_TO_PASS") is None


def test_an_exit_code_that_the_log_explains_does_not_matter(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FAIL_TO_PASS=["f.py::f"], PASS_TO_PASS=["k.py::k"])
    text = log("PASSED f.py::f", "PASSED k.py::k", "FAILED other.py::o", code=1)
    found = resolution(spec, text)
    assert found.resolved
    assert json.loads(found.report())["tests_status"]["FAIL_TO_PASS"]["success"] == ["f.py::f"]


def test_results_outside_the_marks_count_where_none_is_inside(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FAIL_TO_PASS=["f.py::f"], PASS_TO_PASS=[])
    assert resolution(spec, "PASSED f.py::f\n" + log("nothing")).resolved
    assert not resolution(spec, "PASSED f.py::f\n" + log("PASSED k.py::k")).resolved
