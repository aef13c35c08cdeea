"""The matrix: what every test says of every candidate and of the unedited code, with the proof."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.patches.patch import Patch
    from sandbox.protocol import Execution
    from selection.candidates import Candidate, Test, TestKind

UNEDITED_ROW = 0
"""Stands for the unedited code where a candidate's number is asked for."""


class Verdict(enum.StrEnum):
    """What one test says of one candidate, by its exit code."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    """0: the issue is fixed; of a regression test: nothing is broken."""
    FAIL = "fail"
    """2: the issue is there; of a regression test: something is broken."""
    ERROR = "error"
    """Anything else, a time-out included: nothing can be told."""


def verdict(execution: Execution) -> Verdict:
    """The verdict of one execution."""
    if execution.passed:
        return Verdict.PASS
    return Verdict.FAIL if execution.exit_code == 2 else Verdict.ERROR  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Cell:
    """One test on one candidate, or on the unedited code."""

    verdict: Verdict
    execution: Execution
    patch: Patch
    """What the script was run on; a regression test does not see the candidate's edits of tests."""
    broken: int | None = None
    """How many of a regression test's tests broke, where it is known."""


@dataclass(frozen=True, slots=True)
class RegressionFile:
    """A test file of the repository's own near the edits."""

    path: str
    test: int | None = None
    """The number of the test that it became; None: it has no vote."""
    passing: int | None = None
    """Tests in it that pass on the unedited code; None: not known one by one."""
    reason: str = ""
    """Why it has no vote."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A race at one moment: every test on every candidate and on the unedited code."""

    instance_id: str
    candidates: tuple[Candidate, ...]
    tests: tuple[Test, ...]
    cells: Mapping[tuple[int, int], Cell]
    """(candidate number or `UNEDITED_ROW`, test number) -> cell."""
    regression_files: tuple[RegressionFile, ...] = ()
    """The repository's own test files that were looked at, nearest first."""

    def said(self, candidate: int, test: Test) -> Verdict:
        """What a test says of one candidate, or of the unedited code."""
        return self.cells[candidate, test.number].verdict

    def row(self, candidate: int) -> tuple[Verdict, ...]:
        """What all tests that have a vote say of one candidate, or of the unedited code."""
        return tuple(self.said(candidate, test) for test in self.tests if not test.flaky)

    def passes(self, candidate: Candidate, test: Test) -> bool:
        """Whether the candidate passes the test."""
        return self.said(candidate.number, test) is Verdict.PASS

    def discriminates(self, test: Test) -> bool:
        """Whether the test can tell edited from unedited code: it does not pass before."""
        return not test.flaky and self.said(UNEDITED_ROW, test) is not Verdict.PASS

    def only(self, kind: TestKind) -> Matrix:
        """The same without the tests of other kinds."""
        return replace(self, tests=tuple(test for test in self.tests if test.kind is kind))
