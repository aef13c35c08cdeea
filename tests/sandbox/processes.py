"""Watching this machine's processes, containers' included, through numbers no other one has."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

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


async def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        await asyncio.sleep(0.05)


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
