"""What a flag is: one place in a patch that could buy votes."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class FlagKind(enum.StrEnum):
    """What an added line or file does, in words that follow its place."""

    EXIT = "ends the process without the caller"
    AT_EXIT = "runs code when the process ends"
    HOOK = "is loaded whenever the language or the test tool starts"
    SHADOW = "hides a module of the standard library or a test tool"
    PATCH = "changes the language's or the test tool's own functions"
    READS_CALLER = "looks at the script that runs it"
    TELLS_TESTS = "behaves in another way under tests"
    EQUAL = "is equal to everything"
    HIDDEN_CODE = "runs code that is not in plain text"
    LARGE = "comes after the million characters that are looked at"
    MEMORY = "reaches into the memory of the process"


@dataclass(frozen=True, slots=True)
class Flag:
    """One place in a patch that could buy votes."""

    kind: FlagKind
    path: str
    line: int
    """The line's number after the patch; 0: the whole file."""
    text: str = ""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place} {self.kind.value}" + (f": {self.text}" if self.text else "")
