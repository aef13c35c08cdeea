"""The result of an instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selection.matrix import Matrix
    from selection.selectors.protocol import Ranking
    from selection.votes import Standing


@dataclass(frozen=True, slots=True)
class Solution:
    """The result of an instance, with the evidence."""

    samples: int
    """How many samples it is based on."""
    context_files: tuple[str, ...]
    """Paths of the files that the model was shown, in order."""
    matrix: Matrix
    standings: tuple[Standing, ...]
    """All candidates, in the order of votes."""
    finalists: tuple[int, ...]
    """Numbers of the candidates with the best votes, which a model may choose between."""
    ranking: Ranking
    """Its first candidate is the chosen one; empty: there was no candidate."""
    excluded: Mapping[int, str] = field(default_factory=dict)
    """By the number of a sample whose patch is not a candidate, the trace of the error."""
