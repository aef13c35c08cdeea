"""The selector "codet": dual execution agreement (CodeT, arXiv 2207.10397, 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.selectors.protocol import Ranking
from selection.selectors.pure import ranking, writers

if TYPE_CHECKING:
    from selection.candidates import Candidate
    from selection.matrix import Matrix


def codet(matrix: Matrix) -> Ranking:
    """`codet`: dual execution agreement (CodeT, arXiv 2207.10397, 2.2).

    Candidates that pass the same tests are one consensus set. Its score is how many
    wrote its candidates times how many tests they pass. In the winning set, the
    candidate that most wrote comes first, then the shortest. Repository tests are
    left out, because nobody wrote them for the issue.
    """
    matrix = matrix.only(TestKind.GENERATED)
    passed = {c.number: _passed(matrix, c) for c in matrix.candidates}
    support: dict[frozenset[int], int] = {}
    for c in matrix.candidates:
        support[passed[c.number]] = support.get(passed[c.number], 0) + c.support
    score = {number: support[tests] * len(tests) for number, tests in passed.items()}

    def key(c: Candidate) -> tuple[int, int, int, int, int]:
        tests = passed[c.number]
        return (-score[c.number], -len(tests), -c.support, c.size, c.number)

    ordered = sorted(matrix.candidates, key=key)
    if not ordered:
        return Ranking((), "")
    tests = passed[ordered[0].number]
    same = [c for c in matrix.candidates if passed[c.number] == tests]
    count = f"{len(tests)} generated test{'' if len(tests) == 1 else 's'}"
    return ranking(ordered, f"{writers(*same)} wrote patches that pass the same {count}")


def _passed(matrix: Matrix, candidate: Candidate) -> frozenset[int]:
    return frozenset(t.number for t in matrix.tests if not t.flaky and matrix.passes(candidate, t))
