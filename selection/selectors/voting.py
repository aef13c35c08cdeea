"""The selectors that count votes: "paper", "discriminating", "regression", "regression-first"."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.selectors.protocol import Ranking
from selection.selectors.pure import ranking
from selection.votes import rank, regression_votes, tied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selection.matrix import Matrix
    from selection.votes import Standing


def paper(matrix: Matrix) -> Ranking:
    """`paper`: the most tests passed, whatever they say before the edit (CodeMonkeys, 3.3)."""
    return _voted(rank(matrix, "paper"), len(matrix.only(TestKind.GENERATED).tests))


def discriminating(matrix: Matrix) -> Ranking:
    """`discriminating`: the most tests passed of those that can tell anything.

    A test that passes before the edit does not count. A candidate's own test
    never decides alone: see `corroborated`.
    """
    return _voted(rank(matrix, "discriminating"), _telling(matrix))


def regression(matrix: Matrix) -> Ranking:
    """`regression`: those votes, and one of each nearby test file of the repository's own.

    A file votes for the candidates that break least of it; what all break says nothing.
    """
    order = rank(matrix, "regression")
    old = matrix.only(TestKind.REGRESSION).tests
    voted = _voted(order, _telling(matrix) + sum(not test.flaky for test in old))
    if not old or not order:
        return voted
    kept = regression_votes(matrix)[order[0].candidate.number]
    return replace(voted, reason=f"{voted.reason}; {kept} of them by the repository's own")


def regression_first(matrix: Matrix) -> Ranking:
    """`regression-first`: the fewest broken tests of the repository's own, then the votes.

    The filter of Agentless (arXiv 2407.01489), with discriminating votes behind it.
    """
    order = rank(matrix, "regression-first")
    voted = _voted(order, _telling(matrix))
    broken = f"breaks {order[0].broken} tests; " if order else ""
    return replace(voted, reason=broken + voted.reason)


def _telling(matrix: Matrix) -> int:
    return sum(map(matrix.discriminates, matrix.tests))


def _voted(order: Sequence[Standing], tests: int) -> Ranking:
    if not order:
        return Ranking((), "")
    first, among = order[0], tied(order)
    reason = f"{first.votes} of {tests} votes"
    if among > 1:
        reason += f", as {among - 1} more; {first.agreement} behave so"
    return ranking([standing.candidate for standing in order], reason)
