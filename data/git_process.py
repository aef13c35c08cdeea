"""Starting git, so that nothing in a repository is run or leads elsewhere.

A repository's configuration can name programs for git to run: filters, hooks, file system
monitors, signature checkers, pagers, transports. A repository is a stranger, and a list of
settings to override would never be complete. So git never reads the repository's configuration.
Each call gets a throwaway git folder (`data.git_folder`) that links to the objects, references
and index of the repository, and has a configuration that Troop wrote.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.git_folder import GitFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ANSWERS_S = 600
"""Seconds after which git is stopped: a pipe in place of a file would keep it forever."""
_SETTINGS = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    # Git finds a person's attributes and ignore rules through these.
    "HOME": os.devnull,
    "XDG_CONFIG_HOME": os.devnull,
}
_OF_THE_PERSON = r"^core\.(autocrlf|eol|attributesfile|excludesfile)$"


class GitFailedError(Exception):
    """Git ended with an error; `message` is what it said, without noise."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def git_missing() -> UsageError:
    """Make the error for a machine without git."""
    return UsageError("git is not installed, or not on PATH.", hint="Install git 2.32 or newer.")


def made_environment(git_dir: Path) -> dict[str, str]:
    """The environment for git in a repository that Troop made, with nobody's configuration."""
    return {**_without_git(), **_SETTINGS, "GIT_DIR": str(git_dir)}


@contextmanager
def opened(folder: Path, *, trusting: bool = False) -> Iterator[dict[str, str]]:
    """The environment for git in the repository that holds `folder`. It is valid while inside.

    `trusting`: files that look as the index has them are not read again, because without its
    filter git cannot tell whether they are the same.

    Raises:
        UsageError: there is no repository, or it leads to files of another one.
    """
    place = GitFolder.of(folder)
    with place.stand_in(person(), trusting=trusting) as git_dir:
        environment = made_environment(git_dir)
        if place.top is not None:
            environment["GIT_WORK_TREE"] = str(place.top)
        yield environment


def run_git(
    arguments: Sequence[str],
    *,
    folder: Path,
    git_dir: Path | None = None,
    content: bytes = b"",
    trusting: bool = False,
) -> bytes:
    """Run git in `folder` to its end and return what it printed.

    `git_dir` is the git folder of a repository that Troop made; `trusting`: see `opened`.

    Raises:
        GitFailedError: git ended with an error, or did not answer.
        UsageError: there is no git, no repository, or it leads to files of another one.
    """
    if git_dir is not None:
        return _run(arguments, folder, made_environment(git_dir), content)
    with opened(folder, trusting=trusting) as environment:
        return _run(arguments, folder, environment, content)


def _run(
    arguments: Sequence[str], folder: Path, environment: dict[str, str], content: bytes
) -> bytes:
    try:
        ran = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            input=content,
            capture_output=True,
            check=False,
            timeout=ANSWERS_S,
        )
    except FileNotFoundError:
        raise git_missing() from None
    except subprocess.TimeoutExpired:
        raise GitFailedError(f"git did not answer within {ANSWERS_S} s") from None
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip()
        raise GitFailedError(said or f"git ended with {ran.returncode}")
    return ran.stdout


def _without_git() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def person() -> dict[str, str]:
    """What the person's own configuration says of line ends, attributes and ignored files."""
    environment = {**_without_git(), "LC_ALL": "C", "GIT_DIR": os.devnull}
    try:
        ran = subprocess.run(
            ["git", "config", "-z", "--type=path", "--get-regexp", _OF_THE_PERSON],
            env=environment,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise git_missing() from None
    said = ran.stdout.decode("utf-8", "surrogateescape")
    pairs = (entry.partition("\n") for entry in said.split("\0") if entry)
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    by_default = {
        "core.attributesfile": f"{folder}/git/attributes",
        "core.excludesfile": f"{folder}/git/ignore",
    }
    return by_default | {name: value for name, _, value in pairs}
