"""Votes: pure functions over the matrix of what each test said of each candidate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.matrix import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selection.candidates import Candidate, Test
    from selection.matrix import Matrix
    from selection.settings import VoteRule


def paper_votes(matrix: Matrix) -> dict[int, int]:
    """How many generated tests each candidate passes, of all of them (CodeMonkeys, 3.3)."""
    tests = matrix.only(TestKind.GENERATED).tests
    return {c.number: sum(matrix.passes(c, test) for test in tests) for c in matrix.candidates}


def discriminating_votes(matrix: Matrix) -> dict[int, int]:
    """How many tests each candidate passes, of those that do not pass before the edit.

    Flaky tests do not count, and a candidate's own test never decides alone: see
    `corroborated`.
    """
    telling = [test for test in matrix.tests if matrix.discriminates(test)]
    return {
        c.number: sum(matrix.passes(c, t) and corroborated(matrix, t, c) for t in telling)
        for c in matrix.candidates
    }


def corroborated(matrix: Matrix, test: Test, candidate: Candidate) -> bool:
    """Whether a test's vote for the candidate rests on more than the one sample that wrote both.

    It does not if one sample alone wrote both, no other candidate passes the test, and no
    test of another sample that can vote passes only this candidate too. The script of a
    sample may only describe what its own edit does.
    """
    own = bool(test.samples) and not test.sources and test.samples == candidate.samples
    if candidate.support != 1 or not own:
        return True
    if _passing(matrix, test) != {candidate.number}:
        return True
    return any(
        matrix.discriminates(other) and _passing(matrix, other) == {candidate.number}
        for other in matrix.tests
        if other.samples != test.samples
    )


def uncounted(matrix: Matrix) -> frozenset[tuple[int, int]]:
    """(candidate, test) for each pass that is no vote because nothing corroborates it."""
    return frozenset(
        (c.number, test.number)
        for test in matrix.tests
        if matrix.discriminates(test)
        for c in matrix.candidates
        if matrix.passes(c, test) and not corroborated(matrix, test, c)
    )


def regression_votes(matrix: Matrix) -> dict[int, int]:
    """For each candidate, the repository test files in which no other breaks fewer tests.

    A correct edit may change on purpose what an old test checks. So tests that every
    candidate breaks do not count, and a file votes for those that break the fewest tests.
    """
    votes = dict.fromkeys((c.number for c in matrix.candidates), 0)
    for test in _regression(matrix):
        broke = _broken(matrix, test)
        least = min(broke.values(), default=0)
        for number, count in broke.items():
            votes[number] += count == least
    return votes


def broken_tests(matrix: Matrix) -> dict[int, int]:
    """How many repository tests each candidate breaks, over all files."""
    counts = [_broken(matrix, test) for test in _regression(matrix)]
    return {c.number: sum(broke[c.number] for broke in counts) for c in matrix.candidates}


def agreement(matrix: Matrix) -> dict[int, int]:
    """For each candidate, how many samples and systems wrote one with the same behaviour.

    This is the weight of a behaviour, like the consensus sets of CodeT (arXiv 2207.10397).
    """
    weight: dict[tuple[Verdict, ...], int] = {}
    for candidate in matrix.candidates:
        row = matrix.row(candidate.number)
        weight[row] = weight.get(row, 0) + candidate.support
    return {c.number: weight[matrix.row(c.number)] for c in matrix.candidates}


@dataclass(frozen=True, slots=True)
class Standing:
    """One candidate's place in the order of votes."""

    candidate: Candidate
    votes: int
    """The votes by the rule that was asked for."""
    agreement: int
    broken: int = 0
    """How many repository tests it breaks, if the rule looks at these first."""


def rank(matrix: Matrix, rule: VoteRule) -> tuple[Standing, ...]:
    """The candidates, best first, by the votes of a rule; see `standings` for ties.

    Flagged candidates have no votes, and come after all others.

    "regression-first" is Agentless' order (arXiv 2407.01489): the fewest broken
    tests, then the votes.
    """
    heard, flagged = matrix.heeding()
    last = (replace(standing, votes=0) for standing in _ranked(flagged, rule))
    return (*_ranked(heard, rule), *last)


def finalists(matrix: Matrix, rule: VoteRule, count: int) -> tuple[Candidate, ...]:
    """The candidates that are shown to the selection trajectory, in the vote's order.

    A flagged candidate is one of them if it would be without its flags, in addition to `count`
    others: the model decides whether its flags mean anything.
    """
    order = [standing.candidate for standing in rank(matrix, rule)]
    would = {standing.candidate.number for standing in _ranked(matrix, rule)[:count]}
    return tuple(order[:count] + [c for c in order[count:] if c.flags and c.number in would])


def _ranked(matrix: Matrix, rule: VoteRule) -> tuple[Standing, ...]:
    written = matrix.only(TestKind.GENERATED)
    votes = discriminating_votes(matrix)
    match rule:
        case "paper":
            return standings(written, paper_votes(matrix))
        case "discriminating":
            return standings(written, votes)
        case "regression":
            old = regression_votes(matrix)
            return standings(matrix, {number: votes[number] + old[number] for number in votes})
        case "regression-first":
            return standings(matrix, votes, broken_tests(matrix))


def standings(
    matrix: Matrix, votes: Mapping[int, int], broken: Mapping[int, int] | None = None
) -> tuple[Standing, ...]:
    """The candidates, best first: those that break fewest, if given, then by these votes.

    Ties go to agreement, then to how many wrote exactly this patch, then to the
    shorter patch, then to the earlier one.
    """
    agreed, broken = agreement(matrix), broken or {}
    found = [
        Standing(c, votes[c.number], agreed[c.number], broken.get(c.number, 0))
        for c in matrix.candidates
    ]
    return tuple(
        sorted(
            found,
            key=lambda s: (
                s.broken,
                -s.votes,
                -s.agreement,
                -s.candidate.support,
                s.candidate.size,
                s.candidate.number,
            ),
        )
    )


def tied(order: Sequence[Standing]) -> int:
    """How many candidates share the first place before ties are broken."""
    first = [(s.broken, s.votes) for s in order[:1]]
    return sum((s.broken, s.votes) in first for s in order)


def _regression(matrix: Matrix) -> list[Test]:
    return [test for test in matrix.only(TestKind.REGRESSION).tests if not test.flaky]


def _broken(matrix: Matrix, test: Test) -> dict[int, int]:
    """How many tests of a file each candidate breaks.

    If only the file's verdict is known, a broken file counts as one. If there is no
    verdict, although the file runs on the unedited code, that is worse than any number.
    """
    counts = {}
    for c in matrix.candidates:
        cell = matrix.cells[c.number, test.number]
        known = 1 if cell.broken is None else cell.broken
        counts[c.number] = {Verdict.PASS: 0, Verdict.FAIL: known}.get(cell.verdict, -1)
    worst = max(0, *counts.values()) + 1 if counts else 0
    return {number: worst if count < 0 else count for number, count in counts.items()}


def _passing(matrix: Matrix, test: Test) -> set[int]:
    return {c.number for c in matrix.candidates if matrix.passes(c, test)}
