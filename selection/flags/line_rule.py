"""What a rule is: shapes of added lines that get one kind of flag."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selection.flags.flag import FlagKind


@dataclass(frozen=True, slots=True)
class LineRule:
    """Shapes of lines in one language."""

    kind: FlagKind
    shape: re.Pattern[str]

    def __init__(self, kind: FlagKind, *shapes: str) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "shape", re.compile("|".join(shapes)))
