"""Watching this machine's processes, containers' included, through numbers no other one has."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

SLEEP = "import os; os.execvp('sleep', ['sleep', {!r}])"


def running(token: str) -> int:
    """How many processes of this machine, containers included, have `token` as an argument."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            count += token.encode() in words
    return count


def new_token() -> str:
    """A number of seconds to sleep that no other process has as its argument."""
    return f"4217.{secrets.randbelow(10**9):09}"


def start_owner(command: list[str], token: str) -> subprocess.Popen[str]:
    """A process that is told `token` on its standard input."""
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert owner.stdin
    owner.stdin.write(token + "\n")
    owner.stdin.close()
    return owner
