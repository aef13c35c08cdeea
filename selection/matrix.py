"""The matrix: every test's verdict on every candidate and on the unedited code."""

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
"""Stands for the unedited code in place of a candidate's number."""


class Verdict(enum.StrEnum):
    """What one test says of one candidate, by its exit code."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    """Exit code 0: the issue is fixed; for a repository test, nothing is broken."""
    FAIL = "fail"
    """Exit code 2: the issue is still there; for a repository test, something is broken."""
    ERROR = "error"
    """Anything else, including a time-out: no verdict."""


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
    """What the script was run on. For a repository test, without the candidate's edits of tests."""
    broken: int | None = None
    """How many tests of a repository test file broke; None: not known."""


@dataclass(frozen=True, slots=True)
class RegressionFile:
    """A repository test file near the edits."""

    path: str
    test: int | None = None
    """The number of its test; None: it has no vote."""
    passing: int | None = None
    """How many of its tests pass before the edit; None: they are not known one by one."""
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
    """The repository test files that were looked at, nearest first."""

    def said(self, candidate: int, test: Test) -> Verdict:
        """A test's verdict on one candidate, or on the unedited code."""
        return self.cells[candidate, test.number].verdict

    def row(self, candidate: int) -> tuple[Verdict, ...]:
        """The verdicts of all tests that are not flaky on a candidate, or on the unedited code."""
        return tuple(self.said(candidate, test) for test in self.tests if not test.flaky)

    def passes(self, candidate: Candidate, test: Test) -> bool:
        """Whether the candidate passes the test."""
        return self.said(candidate.number, test) is Verdict.PASS

    def discriminates(self, test: Test) -> bool:
        """Whether the test can have a vote: it does not pass before the edit."""
        return not test.flaky and self.said(UNEDITED_ROW, test) is not Verdict.PASS

    def heeding(self, cleared: frozenset[int] = frozenset()) -> tuple[Matrix, Matrix]:
        """The matrix of the candidates that have votes, and that of those whose flags take them.

        In the second, no test says anything. `cleared`: candidates whose flags do not count.
        """
        kept = tuple(c for c in self.candidates if not c.flags or c.number in cleared)
        if len(kept) == len(self.candidates):
            return self, replace(self, candidates=())
        flagged = tuple(c for c in self.candidates if c not in kept)
        numbers = {c.number for c in flagged}
        silent = {
            where: replace(cell, verdict=Verdict.ERROR, broken=None)
            if where[0] in numbers
            else cell
            for where, cell in self.cells.items()
        }
        return replace(self, candidates=kept), replace(self, candidates=flagged, cells=silent)

    def only(self, kind: TestKind) -> Matrix:
        """The same matrix with only the tests of this kind."""
        return replace(self, tests=tuple(test for test in self.tests if test.kind is kind))
