"""What kept a patch from being graded: the machine's fault or the image's, and so no verdict."""

from __future__ import annotations

import re

_CAUSES = (
    *("Permission denied", "Operation not permitted", "Read-only file system"),
    *("No space left on device", "Disk quota exceeded", "File too large"),
    *("Cannot allocate memory", "Too many open files", "Input/output error"),
)
_PREVENTED = re.compile(
    r"^(?:(?:error|fatal|patch|git|base64|mkdir|rm|cp): .*: (?:"
    + "|".join(_CAUSES)
    + r")\.?|fatal: detected dubious ownership in .*"
    r"|.*: (?:git|patch|base64|head|timeout): (?:command )?not found)$",
    re.MULTILINE,
)
"""A message of a program that applies patches. Only the cause at its end is the system's own."""
_SHOWN = 200


def why_prevented(log: str) -> str:
    """The first line that says that something could not be done here at all; "" if none does."""
    found = _PREVENTED.search(log)
    return found[0][:_SHOWN] if found else ""
