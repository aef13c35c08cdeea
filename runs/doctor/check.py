"""What a check finds, and running many of them at once."""

from __future__ import annotations

import enum
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import ModelError, SandboxError, StoreError, TroopError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SANDBOX = SandboxError.exit_code
MODEL = ModelError.exit_code
STORE = StoreError.exit_code
OTHER = 1

_OWN_CODES = (SANDBOX, MODEL, STORE)


class Mark(enum.StrEnum):
    """How good what was found is."""

    FINE = "fine"
    LESS = "less"
    """It works, but not as well as it could, or not for everything."""
    BAD = "bad"
    """It must be fixed before work can succeed."""
    UNKNOWN = "unknown"
    """Not checked, or nothing could be found out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what the doctor says."""

    name: str
    """For machines, and the same in every version: for example "engine.storage"."""
    mark: Mark
    text: str
    hint: str = ""
    """What to do about it; "" where it is fine."""
    code: int = OTHER
    """The exit code where it is bad."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at."""

    name: str
    """The name of the finding if the check itself fails."""
    look: Callable[[], Sequence[Finding]]
    """May raise: what it raises becomes a finding."""
    limit_s: float = 5.0
    code: int = OTHER
    """The exit code where the check fails."""


def fine(name: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(name, Mark.FINE, text)


def less(name: str, text: str, hint: str = "") -> Finding:
    """It works, but could work better."""
    return Finding(name, Mark.LESS, text, hint)


def bad(name: str, text: str, hint: str, code: int = OTHER) -> Finding:
    """It must be fixed."""
    return Finding(name, Mark.BAD, text, hint, code)


def unknown(name: str, text: str, hint: str = "") -> Finding:
    """Not found out."""
    return Finding(name, Mark.UNKNOWN, text, hint)


def examine(checks: Sequence[Check]) -> list[Finding]:
    """Run all checks at once; gives what they found, in their order.

    A check that raises or takes too long becomes a finding. Its thread cannot be
    stopped, so it is left behind; it does not keep the program from ending.
    """
    began = time.monotonic()
    under_way = [_UnderWay(check) for check in checks]
    return [
        finding
        for each in under_way
        for finding in each.findings(began + each.check.limit_s - time.monotonic())
    ]


def exit_code(findings: Sequence[Finding]) -> int:
    """0 if nothing must be fixed, else the highest code of what must."""
    return max((each.code for each in findings if each.mark is Mark.BAD), default=0)


def failed(name: str, error: BaseException, code: int = OTHER) -> Finding:
    """The finding for an error that ended a check."""
    if isinstance(error, TroopError):
        own = error.exit_code if error.exit_code in _OWN_CODES else code
        return bad(name, error.message, error.hint, own)
    said = " ".join(str(error).split())
    return less(
        name,
        f"{name} could not be checked: {type(error).__name__}" + (f": {said}" if said else ""),
        "The check itself failed; the others are not affected. Please report it.",
    )


class _UnderWay:
    """A check in a thread of its own."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self._found: Sequence[Finding] = ()
        self._thread = threading.Thread(target=self._look, name=f"doctor {check.name}", daemon=True)
        self._thread.start()

    def findings(self, seconds: float) -> Sequence[Finding]:
        """What was found, at most `seconds` from now."""
        self._thread.join(max(seconds, 0))
        if not self._thread.is_alive():
            return self._found
        return [
            less(
                self.check.name,
                f"{self.check.name}: no answer within {self.check.limit_s:g} s",
                "Try again when the machine is less busy; if it stays so, find out what hangs.",
            )
        ]

    def _look(self) -> None:
        try:
            self._found = list(self.check.look())
        except Exception as error:  # noqa: BLE001 - whatever is wrong here, the other checks continue
            self._found = [failed(self.check.name, error, self.check.code)]
