"""The exceptions that cadence raises on purpose."""

from __future__ import annotations


class CadenceError(ValueError):
    """Base class: catch this one to catch them all."""


class RuleError(CadenceError):
    """A rule, schedule or query that makes no sense."""


class ParseError(CadenceError):
    """Rule text, or a date or name in it, that could not be read."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"cannot read {text!r}: {reason}")
        self.text = text
        self.reason = reason


class CodecError(CadenceError):
    """Stored data that is not a calendar, or is from a newer format."""
