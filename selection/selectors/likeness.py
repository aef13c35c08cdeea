"""The selectors "shortest" and "agreement": what the patches say of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selection.candidates import TestKind
from selection.selectors.protocol import Ranking
from selection.selectors.pure import ranking
from selection.votes import agreement

if TYPE_CHECKING:
    from selection.matrix import Matrix


def shortest(matrix: Matrix) -> Ranking:
    """`shortest`: the shortest diff; ties go to what more wrote. No test is looked at."""
    ordered = sorted(matrix.candidates, key=lambda c: (c.size, -c.support, c.number))
    return ranking(ordered, f"{ordered[0].size} characters" if ordered else "")


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
    return ranking(ordered, f"{first.support} wrote it, {alike[first.number]} behave so")
