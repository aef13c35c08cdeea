"""What an instance came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selection.matrix import Matrix
    from selection.selectors.protocol import Ranking
    from selection.votes import Standing


@dataclass(frozen=True, slots=True)
class Solution:
    """What an instance came to, with the evidence."""

    samples: int
    """How many samples it rests on."""
    context_files: tuple[str, ...]
    """Paths of the files that the model was shown, in order."""
    matrix: Matrix
    standings: tuple[Standing, ...]
    """All candidates in the vote's order."""
    finalists: tuple[int, ...]
    """Numbers of the candidates that lead the vote, as many as a model chooses between."""
    ranking: Ranking
    """Its first candidate is the solution's; without one there was no candidate."""
