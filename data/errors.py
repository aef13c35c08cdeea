"""Errors that a person can fix.

    TroopError                      exit 1
    ├── UsageError                  exit 2   bad input: flags, files, rows, patches
    ├── SandboxError                exit 3   engine or image
    │   └── SandboxUnavailable      exit 3   nothing can run until it is fixed
    ├── ModelError                  exit 4   the model server
    ├── StoreError                  exit 5   the database or the disk
    │   └── LeaseLost               exit 5   another process works on the instance now
    └── UnexpectedError             exit 1   an error that nobody foresaw ended an instance

The message is a sentence that says what is wrong, and `hint` says what to do.
They are caught once, in the command line, which prints both and exits with
`exit_code`. `tests/test_house.py` checks how they are written.
Outcomes of the work itself (a failing script, a reply that cannot be read) are
values, never exceptions.
"""

from __future__ import annotations


class TroopError(Exception):
    """Something that stops a command and that a person can fix."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TroopError):
    """Bad input: a flag, a file, a dataset row, a patch."""

    exit_code = 2


class SandboxError(TroopError):
    """The Docker engine failed, not the script: retried, and never counted as a verdict."""

    exit_code = 3


class SandboxUnavailable(SandboxError):
    """No execution can succeed until a person fixes it: no Docker engine, or no image."""


class ModelError(TroopError):
    """The model server cannot be used as configured."""

    exit_code = 4


class StoreError(TroopError):
    """The database cannot be read or written."""

    exit_code = 5


class UnexpectedError(TroopError):
    """An error that nobody foresaw ended the work on an instance. The others go on."""


class LeaseLost(StoreError):
    """This worker no longer holds the instance: another process works on it, or may."""
