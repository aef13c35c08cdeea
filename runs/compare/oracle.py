"""The oracle: a selector that sees the grades, and so an upper bound for all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selection.selectors.protocol import Ranking
from selection.selectors.pure import Pure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selection.matrix import Matrix

ORACLE = "oracle"
"""Its name. It is in no registry, because no run may choose by it."""


def oracle(grades: Mapping[int, bool]) -> Pure:
    """The `Selector` that knows the grades of one instance, by candidate number.

    It ranks the right candidates; none if no candidate is known to be right.
    """

    def rank(matrix: Matrix) -> Ranking:
        right = tuple(c for c in matrix.candidates if grades.get(c.number))
        ungraded = len(matrix.candidates) - len(grades)
        unknown = f"; {ungraded} without a grade" if ungraded else ""
        said = f"{len(right)} of {len(matrix.candidates)} candidates resolved{unknown}"
        return Ranking(right, said)

    return Pure(rank)
