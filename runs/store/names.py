"""The error for a name that does not exist, with names that do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from data.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SOME = 5
"""How many names are listed if none is similar."""


def missing(there: Sequence[str], wanted: str, what: str) -> UsageError:
    """The error that nothing is called `wanted`. It lists similar names, or some of all."""
    near = get_close_matches(wanted, there, n=3, cutoff=0.4)
    some = ", ".join(near or there[:SOME]) + (", …" if not near and len(there) > SOME else "")
    meant = f"Did you mean {some}?" if near else f"There are: {some}."
    return UsageError(
        f"There is no {what} called {wanted}.", hint=meant if there else "There is none yet."
    )
