"""Selection methods: each ranks the candidates of a matrix without asking a model.

They are pure functions, so that any of them can be asked again of a stored run.
None of them sees a grade.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from selection.candidates import TestKind
from selection.votes import Matrix, agreement, rank, regression_votes, tied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selection.candidates import Candidate
    from selection.votes import Standing


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a method makes of a matrix."""

    candidates: tuple[Candidate, ...]
    """Best first; the first is the method's choice."""
    reason: str
    """Why the first is first, for people; "" where there is no candidate."""


Method = Callable[[Matrix], Ranking]


def by_chance(matrix: Matrix, *, instance_id: str, seed: int) -> Ranking:
    """`random`: every writer of a candidate is as likely as any other.

    The figure that other methods have to beat (random pick among samples,
    CodeMonkeys, arXiv 2501.14723). The order depends on the seed, the instance
    and the patches, never on how candidates are numbered: each candidate takes
    a key of the exponential distribution with its number of writers as rate
    (Efraimidis and Spirakis 2006), from a digest of its diff.
    """

    def key(candidate: Candidate) -> float:
        text = f"{seed}\0{instance_id}\0{candidate.patch.diff}"
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        uniform = (int.from_bytes(digest[:6], "big") + 1) / 2**48
        return -math.log(uniform) / candidate.support if candidate.support else math.inf

    ordered = sorted(matrix.candidates, key=key)
    return _ranking(ordered, f"drawn with seed {seed}")


def shortest(matrix: Matrix) -> Ranking:
    """`shortest`: the shortest diff; ties go to what more wrote. No test is looked at."""
    ordered = sorted(matrix.candidates, key=lambda c: (c.size, -c.support, c.number))
    return _ranking(ordered, f"{ordered[0].size} characters" if ordered else "")


def agreeing(matrix: Matrix) -> Ranking:
    """`agreement`: what most wrote, then the largest group that every test sees alike.

    Self-consistency (arXiv 2203.11171) with equal patches for equal answers; tests
    say only who behaves alike, not who is right.
    """
    alike = agreement(matrix.only(TestKind.GENERATED))
    ordered = sorted(
        matrix.candidates, key=lambda c: (-c.support, -alike[c.number], c.size, c.number)
    )
    if not ordered:
        return Ranking((), "")
    first = ordered[0]
    return _ranking(ordered, f"{first.support} wrote it, {alike[first.number]} behave so")


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
    ranking = _voted(order, _telling(matrix) + sum(not test.flaky for test in old))
    if not old or not order:
        return ranking
    kept = regression_votes(matrix)[order[0].candidate.number]
    return Ranking(ranking.candidates, f"{ranking.reason}; {kept} of them by the repository's own")


def regression_first(matrix: Matrix) -> Ranking:
    """`regression-first`: the fewest broken tests of the repository's own, then the votes.

    The filter of Agentless (arXiv 2407.01489), with discriminating votes behind it.
    """
    order = rank(matrix, "regression-first")
    ranking = _voted(order, _telling(matrix))
    broken = f"breaks {order[0].broken} tests; " if order else ""
    return Ranking(ranking.candidates, broken + ranking.reason)


def codet(matrix: Matrix) -> Ranking:
    """`codet`: dual execution agreement (CodeT, arXiv 2207.10397, 2.2).

    Candidates that pass the same tests are one consensus set, scored by how many
    wrote its candidates times how many tests they pass. In the winning set, the
    candidate that most wrote stands first, then the shortest. The repository's own
    tests are left out: nobody wrote them for the issue.
    """
    matrix = matrix.only(TestKind.GENERATED)
    passed = {c.number: _passed(matrix, c) for c in matrix.candidates}
    writers: dict[frozenset[int], int] = {}
    for c in matrix.candidates:
        writers[passed[c.number]] = writers.get(passed[c.number], 0) + c.support
    score = {number: writers[tests] * len(tests) for number, tests in passed.items()}

    def key(c: Candidate) -> tuple[int, int, int, int, int]:
        tests = passed[c.number]
        return (-score[c.number], -len(tests), -c.support, c.size, c.number)

    ordered = sorted(matrix.candidates, key=key)
    if not ordered:
        return Ranking((), "")
    tests = passed[ordered[0].number]
    return _ranking(ordered, f"{writers[tests]} wrote a patch that passes these {len(tests)} tests")


_PLAIN: dict[str, Method] = {
    "shortest": shortest,
    "agreement": agreeing,
    "paper": paper,
    "discriminating": discriminating,
    "codet": codet,
    "regression": regression,
    "regression-first": regression_first,
}
METHODS = ("random", *_PLAIN)
"""Their names, from the simplest."""


def rank_by(method: str, matrix: Matrix, *, instance_id: str, seed: int) -> Ranking:
    """The ranking of one method; only `random` looks at the instance and the seed.

    Raises:
        UsageError: there is no such method.
    """
    check_method(method)
    if method == "random":
        return by_chance(matrix, instance_id=instance_id, seed=seed)
    return _PLAIN[method](matrix)


def check_method(method: str) -> None:
    """Refuse a name that is no method's.

    Raises:
        UsageError: there is no such method.
    """
    if method not in METHODS:
        raise UsageError(
            f"there is no selection method called {method!r}",
            mend=f"there are: {', '.join(METHODS)}",
        )


def _passed(matrix: Matrix, candidate: Candidate) -> frozenset[int]:
    return frozenset(t.number for t in matrix.tests if not t.flaky and matrix.passes(candidate, t))


def _telling(matrix: Matrix) -> int:
    return sum(map(matrix.discriminates, matrix.tests))


def _voted(order: Sequence[Standing], tests: int) -> Ranking:
    if not order:
        return Ranking((), "")
    first, among = order[0], tied(order)
    reason = f"{first.votes} of {tests} votes"
    if among > 1:
        reason += f", as {among - 1} more; {first.agreement} behave so"
    return _ranking([standing.candidate for standing in order], reason)


def _ranking(ordered: Sequence[Candidate], reason: str) -> Ranking:
    return Ranking(tuple(ordered), reason if ordered else "")
