"""The files of a commit, as this machine has them.

Git stores most of them. A submodule's files are only there if it is checked out,
and files behind a filter are only in the working copy. So the commit's hash does
not say what is read; `Checkout.key` does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.codebases.filtered import changed_files, find_filtered
from data.codebases.reader import RawFile
from data.codebases.stored import (
    SUBMODULE,
    commit_id,
    full_commit,
    listing,
    open_objects,
    read_line,
)
from data.errors import UsageError
from data.git_process import GitFailedError
from data.paths import encode_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from data.codebases.filtered import Filtered


@dataclass(frozen=True, slots=True)
class Checkout:
    """A commit of a repository, and what its working copy adds to it."""

    repository: Path
    commit: str
    """The whole hash."""
    submodules: Mapping[str, Checkout | None]
    """By path; None: it is not checked out, so its folder is empty."""
    filtered: Mapping[str, Filtered]
    """By path, the files that git stores in another form. Submodules have their own."""

    @property
    def key(self) -> str:
        """The same for two checkouts only if their files are the same. Mostly the commit."""
        parts = [f"{path}\0{each.key if each else ''}" for path, each in self.submodules.items()]
        parts += [f"{path}\0{each.by}\0{each.digest}" for path, each in self.filtered.items()]
        if not parts:
            return self.commit
        digest = hashlib.sha256(b"\0\0".join(map(encode_path, sorted(parts)))).hexdigest()
        return f"{self.commit}+{digest[:24]}"

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Checkout]]:
        """This checkout and those inside it, each after its folder ("lib/")."""
        yield prefix, self
        for path, each in self.submodules.items():
            if each is not None:
                yield from each.walk(f"{prefix}{path}/")

    def not_checked_out(self) -> list[str]:
        """The paths of the submodules that are missing."""
        return [
            prefix + path
            for prefix, each in self.walk()
            for path, submodule in each.submodules.items()
            if submodule is None
        ]


def read_checkout(repository: Path, commit: str) -> Checkout:
    """Find out what this machine has of a commit.

    Raises:
        UsageError: there is no git, no repository, or no such commit.
    """
    repository = repository.resolve()
    whole = full_commit(repository, commit)
    try:
        return _read(repository, whole)
    except GitFailedError as error:
        raise UsageError(f"Git cannot read {repository}: {error.message}") from error


def changed_in(checkout: Checkout) -> list[str]:
    """The tracked files, also of submodules, whose working copy is not the commit's.

    Raises:
        UsageError: git cannot read the repository.
    """
    try:
        return [
            prefix + path
            for prefix, each in checkout.walk()
            for path in changed_files(each.repository, each.commit)
        ]
    except GitFailedError as error:
        raise UsageError(f"Git cannot read {checkout.repository}: {error.message}") from error


def stored_instead(checkout: Checkout) -> Iterator[RawFile]:
    """The files that git stores in another form, as edits and patches see them.

    A patch is made for what git stores. If that is not the text of the file, the
    file cannot be edited.
    """
    for prefix, each in checkout.walk():
        plain = [one for one in each.filtered.values() if not one.by]
        if plain:
            with open_objects(each.repository) as objects:
                for one in plain:
                    content, path = objects.content(one.entry), prefix + one.entry.path
                    yield RawFile(path, content, one.entry.is_executable)
        for one in each.filtered.values():
            if one.by and (one.digest or one.has_pointer):
                yield RawFile(prefix + one.entry.path, None, reason=one.reason)


def _read(repository: Path, commit: str) -> Checkout:
    lines = listing(repository, commit)
    submodules = {
        entry.path: _submodule(repository / entry.path, entry.object_id)
        for entry in map(read_line, (line for line in lines if line.startswith(SUBMODULE)))
    }
    return Checkout(repository, commit, submodules, find_filtered(repository, commit, lines))


def _submodule(folder: Path, commit: str) -> Checkout | None:
    # Without a `.git` of its own, git would take the repository around it.
    if folder.resolve() != folder or not (folder / ".git").exists():
        return None
    return _read(folder, commit) if commit_id(folder, commit) is not None else None
