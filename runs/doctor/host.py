"""The machine that Troop runs on: Python, git, the terminal."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.git_process import GitFailedError, git_version
from runs.doctor.check import bad, fine, less

if TYPE_CHECKING:
    from runs.doctor.check import Finding

OLDEST_GIT = (2, 32)
"""The first with GIT_CONFIG_GLOBAL, which keeps a person's settings out of what Troop runs."""
NARROW = 80
"""In fewer columns than this, tables are folded."""

_INSTALL_GIT = "Install git 2.32 or newer, for example: apt install git, or: brew install git"


@dataclass(frozen=True, slots=True)
class Host:
    """What runs Troop."""

    python: str
    system: str
    """As `sys.platform`."""
    described: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where standard output goes."""

    is_terminal: bool
    encoding: str
    columns: int


def look_at_host() -> list[Finding]:
    """Python and the platform."""
    here = Host(platform.python_version(), sys.platform, platform.platform(terse=True))
    return [about_host(here)]


def look_at_git() -> list[Finding]:
    """Git."""
    try:
        return [about_git(git_version())]
    except GitFailedError as error:
        return [about_git(error.message)]


def look_at_terminal() -> list[Finding]:
    """Standard output."""
    columns = shutil.get_terminal_size().columns
    return [about_terminal(Terminal(sys.stdout.isatty(), sys.stdout.encoding or "?", columns))]


def about_host(host: Host) -> Finding:
    """What to say about Python and the platform."""
    text = f"Python {host.python} on {host.described}"
    if host.system in {"linux", "darwin"}:
        return fine("python", text)
    return less("python", f"{text}: Troop is tested on Linux and macOS", "On Windows, use WSL 2.")


def about_git(says: str | None) -> Finding:
    """What to say about git, from what `git --version` prints; None: there is none."""
    if says is None:
        return bad("git", "git is not installed, or not on PATH", _INSTALL_GIT)
    found = re.search(r"git version (\d+)\.(\d+)\S*", says)
    if found is None:
        return bad("git", f"git does not say its version: {says[:200]}", _INSTALL_GIT)
    if (int(found[1]), int(found[2])) < OLDEST_GIT:
        return bad("git", f"{found[0]} is too old", _INSTALL_GIT)
    return fine("git", found[0])


def about_terminal(terminal: Terminal) -> Finding:
    """What to say about standard output."""
    utf8 = terminal.encoding.lower().replace("-", "").replace("_", "") in {"utf8", "utf8sig"}
    kind = f"a terminal of {terminal.columns} columns" if terminal.is_terminal else "no terminal"
    text = f"standard output: {kind}, {'UTF-8' if utf8 else terminal.encoding}"
    if not utf8:
        return less("terminal", f"{text}: some marks are shown as others", _utf8_hint())
    if terminal.is_terminal and terminal.columns < NARROW:
        return less(
            "terminal", f"{text}: tables are folded", f"Make it {NARROW} columns wide, or wider."
        )
    return fine("terminal", text)


def _utf8_hint() -> str:
    return "Set PYTHONUTF8=1." if os.name == "nt" else "Set LC_ALL=C.UTF-8, or PYTHONUTF8=1."
