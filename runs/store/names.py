"""Saying what there is, where something is asked for by a name that nothing has."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from data.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SOME = 5
"""Names given when none is near."""


def missing(there: Sequence[str], wanted: str, what: str) -> UsageError:
    """There is nothing called `wanted`; it names what is near, or some."""
    near = get_close_matches(wanted, there, n=3, cutoff=0.4)
    some = ", ".join(near or there[:SOME]) + (", …" if not near and len(there) > SOME else "")
    meant = f"did you mean {some}?" if near else f"there are: {some}"
    return UsageError(
        f"there is no {what} called {wanted}", hint=meant if there else "there is none yet"
    )
