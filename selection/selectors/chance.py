"""The selector "random": every writer of a candidate is as likely as any other."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from selection.selectors.pure import ranking

if TYPE_CHECKING:
    from selection.candidates import Candidate
    from selection.matrix import Matrix
    from selection.selectors.protocol import Ranking


def by_chance(matrix: Matrix, seed: int) -> Ranking:
    """A random choice, which other selectors have to beat (random pick of a sample, CodeMonkeys).

    The order depends on the seed, the instance and the patches, never on the numbers
    of candidates. Each candidate draws a key from the exponential distribution with
    its number of writers as the rate (Efraimidis and Spirakis 2006), by a digest of
    its diff.
    """

    def key(candidate: Candidate) -> float:
        text = f"{seed}\0{matrix.instance_id}\0{candidate.patch.diff}"
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        uniform = (int.from_bytes(digest[:6], "big") + 1) / 2**48
        return -math.log(uniform) / candidate.support if candidate.support else math.inf

    return ranking(sorted(matrix.candidates, key=key), f"it was drawn at random, with seed {seed}")
