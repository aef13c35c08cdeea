"""Starting git in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from data.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NO_CONFIG = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    # Git finds a person's attributes and ignore rules through these.
    "HOME": os.devnull,
    "XDG_CONFIG_HOME": os.devnull,
}


class GitFailedError(Exception):
    """Git ended with an error; `message` is what it said, without noise."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def git_environment(*, private: bool) -> dict[str, str]:
    """Build the environment for git: without git's variables, and with messages in English.

    `private` also leaves out the configuration of the person and of the machine,
    for work in repositories that Troop made. A person's own repository needs it
    (for example `safe.directory`).
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    return {**kept, **settings, **(_NO_CONFIG if private else {})}


def git_missing() -> UsageError:
    """Make the error for a machine without git."""
    return UsageError("git is not installed, or not on PATH.", hint="Install git 2.32 or newer.")


def run_git(
    arguments: Sequence[str],
    *,
    folder: Path,
    git_dir: Path | None = None,
    content: bytes = b"",
) -> bytes:
    """Run git in `folder` to its end and return what it printed.

    With `git_dir`, a repository that Troop made, the person's configuration is not used.

    Raises:
        GitFailedError: git ended with an error.
        UsageError: there is no git.
    """
    environment = git_environment(private=git_dir is not None)
    if git_dir is not None:
        environment["GIT_DIR"] = str(git_dir)
    try:
        ran = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            input=content,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise git_missing() from None
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip()
        raise GitFailedError(said or f"git ended with {ran.returncode}")
    return ran.stdout
