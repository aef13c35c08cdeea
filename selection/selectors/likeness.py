"""The selectors "shortest" and "agreement", which compare the patches with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.selectors.protocol import Ranking
from selection.selectors.pure import ranking, writers
from selection.votes import agreement

if TYPE_CHECKING:
    from selection.matrix import Matrix


def shortest(matrix: Matrix) -> Ranking:
    """`shortest`: the shortest diff; ties go to the candidate that more wrote. No test counts."""
    ordered = sorted(matrix.candidates, key=lambda c: (c.size, -c.support, c.number))
    return ranking(
        ordered, f"its diff is the shortest: {ordered[0].size:,} characters" if ordered else ""
    )


def agreeing(matrix: Matrix) -> Ranking:
    """`agreement`: what most wrote, then the largest group with the same behaviour.

    Self-consistency (arXiv 2203.11171) with equal patches for equal answers; tests
    only say which have the same behaviour, not which are right.
    """
    written = matrix.only(TestKind.GENERATED)
    alike = agreement(written)
    ordered = sorted(
        matrix.candidates, key=lambda c: (-c.support, -alike[c.number], c.size, c.number)
    )
    if not ordered:
        return Ranking((), "")
    first = ordered[0]
    same = [c for c in matrix.candidates if written.row(c.number) == written.row(first.number)]
    reason = f"{writers(first)} wrote it; {writers(*same)} wrote patches with its behaviour"
    return ranking(ordered, reason)
