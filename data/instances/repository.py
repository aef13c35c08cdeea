"""A person's own git repository as an instance, and its commits as archives."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from data.codebases.checkout import changed_in, read_checkout
from data.codebases.commits import commit_tar
from data.codebases.source_paths import dominant_language
from data.errors import UsageError
from data.git_folder import GitFolder
from data.git_process import GitFailedError, run_git
from data.instances.instance import Environment, Instance
from data.instances.naming import check_environment
from data.languages.languages import known_language
from data.paths import decode_path, show_path
from data.records import read_content

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "MAX_ISSUE_BYTES",
    "check_issue",
    "commit_tar",
    "issue_text",
    "own_repository",
    "read_issue",
    "repository_top",
]

MAX_ISSUE_BYTES = 200_000
"""Longer texts are logs or data, and would leave no room for code in the context."""

_SHOWN_PATHS = 5
_UNSAFE = re.compile(r"[^A-Za-z0-9_.]+")
_LONGEST_NAME = 60


def own_repository(
    path: Path,
    issue: str,
    *,
    image: str | None = None,
    setup: str = "",
    repo_dir: str = "/testbed",
    activate: str = "",
    language: str = "",
) -> Instance:
    """Make an instance of the repository that holds `path`, at HEAD, and an issue's text.

    `language`: what it is written in; "": the language of most of its source.

    Raises:
        UsageError: there is no repository, or it is bare, has no commit, has changes
            that are not committed, or git refuses to read it; or the image or `repo_dir`
            has a name that is not accepted.
    """
    check_issue(issue, "The issue")
    top = repository_top(path)
    given = Environment(image, repo_dir, activate, top, setup)
    check_environment(given, show_path(str(top)))
    commit = _head(top)
    _check_clean(top, commit)
    name = _UNSAFE.sub("-", top.name).strip("-.")[:_LONGEST_NAME] or "repository"
    issue_digest = hashlib.sha256(issue.encode("utf-8", "surrogatepass")).hexdigest()
    return Instance(
        instance_id=f"{name}-{commit[:8]}-{issue_digest[:6]}",
        repo=top.name or name,
        base_commit=commit,
        problem_statement=issue,
        environment=replace(
            given, language=known_language(language) or dominant_language(_sizes(top, commit))
        ),
    )


def read_issue(path: Path) -> str:
    """Read an issue's text from a file; a byte order mark is dropped.

    Raises:
        UsageError: it is missing, empty, not UTF-8, or larger than `MAX_ISSUE_BYTES`.
    """
    return issue_text(read_content(path), str(path))


def issue_text(content: bytes, where: str) -> str:
    """An issue's text; a byte order mark is dropped. `where` names it in a complaint.

    Raises:
        UsageError: empty, not UTF-8, or larger than `MAX_ISSUE_BYTES`.
    """
    try:
        issue = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{where} is not UTF-8 (byte {error.start}).", hint="Save it as UTF-8."
        ) from error
    check_issue(issue, where)
    return issue


def check_issue(issue: str, where: str) -> None:
    """Refuse a text that cannot be an issue; `where` names it in the message.

    Raises:
        UsageError: it is empty, too long, or holds NUL characters.
    """
    if not issue.strip():
        raise UsageError(f"{where} is empty.", hint="Say what is wrong and how to see it.")
    if "\0" in issue:
        raise UsageError(f"{where} holds NUL characters.", hint="Give the issue as plain text.")
    size = len(issue.encode("utf-8", "surrogatepass"))
    if size > MAX_ISSUE_BYTES:
        raise UsageError(
            f"{where} has {size:,} bytes, more than {MAX_ISSUE_BYTES:,}.",
            hint="Keep the description and the part of the log that shows the failure.",
        )


def repository_top(path: Path) -> Path:
    """The folder of the repository that holds `path`.

    Raises:
        UsageError: there is none, or it has no working tree.
    """
    start = path.expanduser().resolve()
    if start.is_file():
        start = start.parent
    if not start.is_dir():
        raise UsageError(f"There is no folder {path}.", hint="Check the spelling.")
    found = GitFolder.of(start)
    if found.top is None:
        raise UsageError(
            f"{path} is a bare repository, which has no working tree.",
            hint="Clone it and name the clone.",
        )
    return found.top


def _head(top: Path) -> str:
    try:
        found = run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], folder=top)
    except GitFailedError as error:
        if error.message.startswith("fatal:"):
            raise UsageError(f"Git cannot read {top}: {error.message}") from error
        raise UsageError(
            f"The repository {top} has no commit yet.", hint="Commit the code first."
        ) from None
    return found.decode("ascii").strip()


def _sizes(top: Path, commit: str) -> dict[str, int]:
    """The bytes of each tracked file."""
    listing = _ask(top, "ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    sizes: dict[str, int] = {}
    for entry in listing.split(b"\0"):
        head, _, path = entry.partition(b"\t")
        size = head.rpartition(b" ")[2]
        if size.isdigit():  # a submodule has none
            sizes[decode_path(path)] = int(size)
    return sizes


def _check_clean(top: Path, commit: str) -> None:
    paths = changed_in(read_checkout(top, commit))
    if not paths:
        return
    shown = ", ".join(show_path(path) for path in paths[:_SHOWN_PATHS])
    more = f" and {len(paths) - _SHOWN_PATHS} more" if len(paths) > _SHOWN_PATHS else ""
    raise UsageError(
        f"The repository {top} holds changes that are not committed: {shown}{more}.",
        hint="Commit them, or set them aside with `git stash`: the work starts from the commit"
        " alone.",
    )


def untracked_files(path: Path) -> list[str]:
    """Files that git neither tracks nor ignores. The agent does not see them."""
    status = _ask(path, "ls-files", "--others", "--exclude-standard", "-z", "--full-name")
    return [decode_path(entry) for entry in status.split(b"\0") if entry]


def _ask(folder: Path, *arguments: str) -> bytes:
    try:
        return run_git(arguments, folder=folder)
    except GitFailedError as error:
        raise UsageError(f"Git cannot read {folder}: {error.message}") from error
