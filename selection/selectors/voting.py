"""The selectors that count votes: "paper", "discriminating", "regression", "regression-first"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.selectors.protocol import Ranking
from selection.selectors.pure import ranking, writers
from selection.votes import rank, regression_votes, tied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selection.matrix import Matrix
    from selection.votes import Standing


def paper(matrix: Matrix) -> Ranking:
    """`paper`: the most tests passed, whatever they say before the edit (CodeMonkeys, 3.3)."""
    order = rank(matrix, "paper")
    count = len(matrix.only(TestKind.GENERATED).tests)
    return _voted(order, lambda first: f"it passes {_of(first.votes, count, 'generated test')}")


def discriminating(matrix: Matrix) -> Ranking:
    """`discriminating`: the most tests passed, of those that do not pass before the edit.

    A candidate's own test never decides alone: see `corroborated`.
    """
    order = rank(matrix, "discriminating")
    return _voted(order, lambda first: f"it has {_telling(first.votes, matrix)}")


def regression(matrix: Matrix) -> Ranking:
    """`regression`: the same votes, and one vote of each repository test file near the edits.

    A file votes for the candidates that break the fewest of its tests. A test that all break
    does not count.
    """
    files = [test for test in matrix.only(TestKind.REGRESSION).tests if not test.flaky]
    kept = regression_votes(matrix)

    def said(first: Standing) -> str:
        by_files = kept[first.candidate.number]
        written = _telling(first.votes - by_files, matrix)
        own = f", and {_of(by_files, len(files), 'repository test file')}" if files else ""
        return f"it has {written}{own}"

    return _voted(rank(matrix, "regression"), said)


def regression_first(matrix: Matrix) -> Ranking:
    """`regression-first`: the fewest broken repository tests, then the votes.

    The filter of Agentless (arXiv 2407.01489), with discriminating votes for ties.
    """

    def said(first: Standing) -> str:
        broken = _counted(first.broken, "repository test")
        return f"it breaks {broken} and has {_telling(first.votes, matrix)}"

    return _voted(rank(matrix, "regression-first"), said)


def _telling(votes: int, matrix: Matrix) -> str:
    count = sum(map(matrix.discriminates, matrix.tests))
    return (
        f"the votes of {_of(votes, count, 'generated test')} that {_do(count)} pass before the edit"
    )


def _of(count: int, total: int, noun: str) -> str:
    return f"{count} of {_counted(total, noun)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _do(count: int) -> str:
    return "does not" if count == 1 else "do not"


def _voted(order: Sequence[Standing], said: Callable[[Standing], str]) -> Ranking:
    if not order:
        return Ranking((), "")
    others = tied(order) - 1
    reason = said(order[0])
    if others:
        has = "candidate has" if others == 1 else "candidates have"
        reason += f"; {others} other {has} as many, and {_tie(*order[:2])}"
    return ranking([standing.candidate for standing in order], reason)


def _tie(first: Standing, second: Standing) -> str:
    """What put the first before the second of equal votes, as `votes.standings` has it."""
    one, two = first.candidate, second.candidate
    if first.agreement != second.agreement:
        return f"the behaviour of this one was written most often: {first.agreement} times"
    if one.support != two.support:
        return f"{writers(one)} wrote this one, more than wrote the next"
    if one.size != two.size:
        return f"this one is shorter than the next: {one.size:,} characters"
    return "this one came first"
