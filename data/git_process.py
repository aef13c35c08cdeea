"""Starting git, so that nothing in a repository is run or leads elsewhere.

A repository's configuration can name programs for git to run: filters, hooks, file system
monitors, signature checkers, pagers, transports. A repository is a stranger, and a list of
settings to override would never be complete. So git never reads the repository's configuration.
Each call gets a throwaway git folder (`data.git_folder`) that links to the objects, references
and index of the repository, and has a configuration that Troop wrote.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from data.errors import UsageError
from data.git_configuration import search_path
from data.git_folder import GitFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ANSWERS_S = 600
"""Seconds after which git is stopped."""
SLOW_S = 3
"""Seconds after which Troop looks for what may keep git: a pipe in place of a file."""
_READ_BY_GIT = (".gitattributes", ".gitignore", ".gitmodules", ".mailmap")
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


@contextmanager
def talk_to_git(arguments: Sequence[str], *, folder: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run git in `folder` while inside: what it reads, and what it prints.

    Raises:
        UsageError: as `run_git`.
    """
    unread = subprocess.DEVNULL
    with (
        opened(folder) as environment,
        _started(arguments, folder, environment, stderr=unread) as process,
    ):
        try:
            yield cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        finally:
            process.kill()


def git_version() -> str | None:
    """What git says of itself; None: there is none.

    Raises:
        GitFailedError: git ended with an error, or did not answer.
    """
    if shutil.which("git", path=search_path()) is None:
        return None
    return _run(["--version"], Path("/"), {**_without_git(), **_SETTINGS}, b"").decode().strip()


def _run(
    arguments: Sequence[str], folder: Path, environment: dict[str, str], content: bytes
) -> bytes:
    with _started(arguments, folder, environment) as process:
        try:
            said, complaint = _answer(process, environment, content)
        finally:
            process.kill()
    if process.returncode:
        words = complaint.decode("utf-8", "replace").strip()
        raise GitFailedError(words or f"git ended with {process.returncode}")
    return said


def _started(
    arguments: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    *,
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    except FileNotFoundError:
        raise git_missing() from None


def _answer(
    process: subprocess.Popen[bytes], environment: dict[str, str], content: bytes
) -> tuple[bytes, bytes]:
    try:
        return process.communicate(content, timeout=SLOW_S)
    except subprocess.TimeoutExpired:
        _refuse_pipes(environment.get("GIT_WORK_TREE"))
    try:
        return process.communicate(timeout=ANSWERS_S)
    except subprocess.TimeoutExpired:
        raise GitFailedError(f"git did not answer within {ANSWERS_S} s") from None


def _refuse_pipes(top: str | None) -> None:
    """Refuse a working copy with a pipe in place of a file that git reads."""
    for folder, _, names in os.walk(top) if top else ():
        for path in (Path(folder, name) for name in _READ_BY_GIT if name in names):
            if stat.S_ISFIFO(path.lstat().st_mode):
                raise UsageError(
                    f"{path} is not a file.", hint="Remove it: git would wait for it forever."
                )


def _without_git() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "PATH": search_path()}


def person() -> dict[str, str]:
    """What the person's own configuration says of line ends, attributes and ignored files."""
    environment = {**_without_git(), "LC_ALL": "C", "GIT_DIR": os.devnull}
    arguments = ["config", "-z", "--type=path", "--get-regexp", _OF_THE_PERSON]
    said = b""
    with suppress(GitFailedError):  # it says none of this
        said = _run(arguments, Path("/"), environment, b"")
    entries = said.decode("utf-8", "surrogateescape").split("\0")
    pairs = (entry.partition("\n") for entry in entries if entry)
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    by_default = {
        "core.attributesfile": f"{folder}/git/attributes",
        "core.excludesfile": f"{folder}/git/ignore",
    }
    return by_default | {name: value for name, _, value in pairs}
