"""Whether the tests bear out what was chosen: pure functions over the matrix of a race."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.matrix import UNEDITED_ROW, Verdict
from selection.votes import discriminating_votes, regression_votes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selection.candidates import Test
    from selection.matrix import Matrix

_NO_TRIAL: Mapping[int, int | None] = MappingProxyType({})
_FIXED, _ISSUE_IS_THERE = 0, 2


class Support(enum.StrEnum):
    """What the tests say of the chosen patch, as it is stored."""

    SUPPORTED = "supported"
    """At least one generated test that fails before the edit passes, and none speaks against it."""
    UNSUPPORTED = "unsupported"
    """No such test passes: there is none, or it passes none of them."""
    CONTRADICTED = "contradicted"
    """Tests speak against it; see `Evidence`."""
    UNTESTED = "untested"
    """No generated test was run, and none was asked for."""

    @property
    def doubtful(self) -> bool:
        """Tests were asked for, and they do not support the patch."""
        return self in {Support.UNSUPPORTED, Support.CONTRADICTED}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the tests say of one candidate."""

    candidate: int
    asked: bool
    """Whether generated tests were asked for, or came from elsewhere."""
    generated: int
    """Generated tests that were run."""
    failing: int
    """Of them, those that fail before the edit and are not flaky."""
    passed: int
    """Of those, how many pass with the candidate."""
    votes: int
    """Tests that count for it, those of the repository too."""
    ahead: tuple[tuple[int, int], ...] = ()
    """Candidates for which more tests count, each with how many, the best first."""
    own: tuple[int, ...] = ()
    """Samples that wrote it and whose last test still fails on it, while no such test passes."""
    flags: int = 0
    """How many places in its patch could buy votes, so that no test counts for it; see
    `selection.flags`. 0 if a model that was shown them chose it."""
    better: tuple[int, ...] = ()
    """Candidates that pass the selection trajectory's last script, which fails on this one."""

    @property
    def support(self) -> Support:
        """All of it in one word; what speaks against a candidate goes first."""
        if self.ahead or self.own or self.better:
            return Support.CONTRADICTED
        if self.passed:
            return Support.SUPPORTED
        return Support.UNSUPPORTED if self.asked else Support.UNTESTED


def weigh(
    matrix: Matrix,
    candidate: int,
    *,
    trial: Mapping[int, int | None] = _NO_TRIAL,
    asked: bool = True,
    cleared: bool = False,
) -> Evidence:
    """What speaks for and against a candidate, by its number.

    Args:
        matrix: the race.
        candidate: the chosen one.
        trial: exit codes of the selection trajectory's last script by candidate; None: it was
            stopped.
        asked: whether generated tests were asked for; it tells "unsupported" from "untested".
        cleared: whether a model that was shown the candidate's flags chose it.
    """
    heard, flagged = matrix.heeding(frozenset({candidate} if cleared else ()))
    flags = next((len(c.flags) for c in flagged.candidates if c.number == candidate), 0)
    if flags:
        own = tuple(c for c in flagged.candidates if c.number == candidate)
        heard = replace(heard, candidates=(*heard.candidates, *own), cells=flagged.cells)
    matrix = heard
    written = matrix.only(TestKind.GENERATED).tests
    failing = [t for t in written if not t.flaky and matrix.said(UNEDITED_ROW, t) is Verdict.FAIL]
    by_tests, by_files = discriminating_votes(matrix), regression_votes(matrix)
    votes = {number: count + by_files[number] for number, count in by_tests.items()}
    more = [(number, count) for number, count in votes.items() if count > votes[candidate]]
    return Evidence(
        candidate,
        asked=asked or bool(written),
        generated=len(written),
        failing=len(failing),
        passed=sum(matrix.said(candidate, test) is Verdict.PASS for test in failing),
        votes=votes[candidate],
        ahead=tuple(sorted(more, key=lambda each: (-each[1], each[0]))),
        own=_own_tests_failing(matrix, candidate),
        flags=flags,
        better=_better(trial, candidate),
    )


def _own_tests_failing(matrix: Matrix, candidate: int) -> tuple[int, ...]:
    """The candidate's samples whose last test fails on it; none where one of these tests passes.

    Of ten samples that write one patch, one may well write a wrong test.
    """
    (writers,) = (set(c.samples) for c in matrix.candidates if c.number == candidate)
    said: dict[Verdict, list[Test]] = {}
    for test in matrix.only(TestKind.GENERATED).tests:
        if not test.flaky and writers & set(test.samples):
            said.setdefault(matrix.said(candidate, test), []).append(test)
    if Verdict.PASS in said:
        return ()
    failed = {sample for test in said.get(Verdict.FAIL, ()) for sample in test.samples}
    return tuple(sorted(failed & writers))


def _better(trial: Mapping[int, int | None], candidate: int) -> tuple[int, ...]:
    if trial.get(candidate) != _ISSUE_IS_THERE:
        return ()
    return tuple(sorted(number for number, code in trial.items() if code == _FIXED))
