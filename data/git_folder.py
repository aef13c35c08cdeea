"""A repository's git folder, looked at without git, and a throwaway one that stands in for it.

The stand-in links to the objects, the references and the index, and has a configuration with
nothing but plain settings, so that git finds nothing in it to run. What leads to files of another
repository is refused, because scripts and models would get to see them.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from data.errors import UsageError
from data.git_configuration import read_configuration, small_text, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SETTINGS = (
    ("core", "repositoryformatversion"),
    ("core", "autocrlf"),
    ("core", "eol"),
    ("core", "filemode"),
    ("core", "symlinks"),
    ("core", "ignorecase"),
    ("core", "precomposeunicode"),
    ("core", "trustctime"),
    ("core", "checkstat"),
    ("core", "sparsecheckout"),
    ("core", "sparsecheckoutcone"),
)
"""What is taken over from a repository's configuration: how its files are to be read."""
_LEFT_OUT = {"worktreeconfig", "partialclone"}
"""Extensions that would bring in more configuration, or fetch."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}")
_HEAD = re.compile(r"ref: refs/[^\x00-\x20\x7f~^:?*\[\\]{1,1000}|[0-9a-f]{40}|[0-9a-f]{64}")
_SHARED = ("objects", "refs", "packed-refs", "reftable", "shallow")
_OWN = ("index", "HEAD", "config", "config.worktree", "info")
_DEEPEST = 32
"""Folders of references are not nested deeper than this."""
_LATER_S = 10.0
_NO_REPOSITORY = "Name a folder of one, or run `git init` and commit there."


class NotARepositoryError(UsageError):
    """A folder is not in a git repository."""


@dataclass(frozen=True, slots=True)
class GitFolder:
    """Where the parts of a repository are. All paths are absolute, without symbolic links."""

    top: Path | None
    """The working copy; None: it is bare."""
    own: Path
    """The git folder of this working copy."""
    common: Path
    """The one with the objects and references; another only for a linked worktree."""

    @classmethod
    def of(cls, folder: Path) -> GitFolder:
        """The git folder of the repository that holds `folder`.

        Raises:
            NotARepositoryError: there is none.
            UsageError: it leads to files of another repository, or is damaged.
        """
        start = folder.resolve()
        for at in (start, *start.parents):
            if os.path.lexists(at / ".git"):
                found = _of_working_copy(at)
            elif all(map(os.path.exists, (at / "HEAD", at / "objects", at / "refs"))):
                found = cls(None, at, at)
            else:
                continue
            found._check()
            return found
        raise NotARepositoryError(f"{folder} is not in a git repository.", hint=_NO_REPOSITORY)

    @contextmanager
    def stand_in(self, more: Mapping[str, str], *, trusting: bool = False) -> Iterator[Path]:
        """A git folder in place of this one. It is removed at the end.

        `more`: settings that do not come from the repository ("core.eol": "lf");
        `trusting`: the index looks so new that git believes it without reading files again.
        """
        with tempfile.TemporaryDirectory(prefix="troop-git-", ignore_cleanup_errors=True) as made:
            place = Path(made)
            (place / "info").mkdir()
            (place / "HEAD").write_text(self._head(), "utf-8")
            (place / "config").write_text(
                written({**more, **self._settings()}), "utf-8", "surrogateescape"
            )
            for name in _SHARED:
                _link(self.common / name, place / name)
            for part in (self.own / "index", *self.own.glob("sharedindex.*")):
                _link(part, place / part.name)
            if trusting and (place / "index").is_symlink():
                _copied_as_new(self.own / "index", place / "index")
            _link(self.own / "info/sparse-checkout", place / "info/sparse-checkout")
            for name in ("info/exclude", "info/attributes"):
                _link(self.common / name, place / name)
            yield place

    @property
    def attributes(self) -> Path:
        """The file of attributes that is not part of any commit."""
        return self.common / "info/attributes"

    def _head(self) -> str:
        text = small_text(self.own / "HEAD").strip()
        if not _HEAD.fullmatch(text):
            raise UsageError(f"The file {self.own / 'HEAD'} is damaged.", hint="Run `git fsck`.")
        return f"{text}\n"

    def _settings(self) -> dict[str, str]:
        files = [self.common / "config", self.own / "config.worktree"]
        found: dict[str, str] = {}
        for sections in map(read_configuration, files):
            for section, name in _SETTINGS:
                value = sections.get(section, {}).get(name, "")
                if _PLAIN.fullmatch(value):
                    found[f"{section}.{name}"] = value
            for name, value in sections.get("extensions", {}).items():
                if name not in _LEFT_OUT and _PLAIN.fullmatch(name) and _PLAIN.fullmatch(value):
                    found[f"extensions.{name}"] = value
        return found

    def _check(self) -> None:
        """Refuse what leads out of the git folder."""
        for part in self._odd_parts():
            target = _real(part)
            inside = target.is_relative_to(self.own) or target.is_relative_to(self.common)
            if part.is_symlink() and (target.is_dir() or not inside):
                _refuse(f"The symbolic link {part} leads", "Clone the repository, name the clone.")
            if target.exists() and not target.is_file():
                raise UsageError(
                    f"{part} is neither a file nor a folder.",
                    hint="Remove it: git would wait for it forever.",
                )
        alternates = self.common / "objects/info/alternates"
        if os.path.lexists(alternates) and small_text(alternates).strip():
            _refuse(
                f"{alternates} leads",
                "Copy its objects: `git repack -a -d`, then remove that file.",
            )
        named = _worktree(self.own)
        if self.top is not None and named is not None and named != self.top:
            _refuse(f"core.worktree of {self.own} leads", "Unset it, or name that folder.")

    def _odd_parts(self) -> Iterator[Path]:
        """All in which git looks for something, and which is neither a file nor a folder."""
        for home in {self.own, self.common}:
            for part in _odd(home):
                if part.name in {*_OWN, *_SHARED} or part.name.startswith("sharedindex."):
                    yield part
            yield from _odd(home / "info")
        for name in ("objects", "refs", "reftable"):
            yield from _odd(self.common / name, _DEEPEST)


def _of_working_copy(top: Path) -> GitFolder:
    at = top / ".git"
    if at.is_dir() and not at.is_symlink():
        if os.path.lexists(at / "commondir"):
            _refuse(f"{at / 'commondir'} leads", "Remove that file.")
        return GitFolder(top, at, at)
    own = _named_by(at, top)
    if own.parent.name == "worktrees":
        common = own.parent.parent
        ours = _points_to(own / "gitdir", at) and _points_to(own / "commondir", common)
        hint = "If it is a linked worktree that was moved: `git worktree repair`."
    else:
        common, ours = own, _worktree(own) == top
        where, what = shlex.quote(f"--git-dir={own}"), shlex.quote(str(top))
        hint = f"If they belong together, say so: git {where} config core.worktree {what}"
    if not ours:
        _refuse(f"{at} leads", hint)
    return GitFolder(top, own, common)


def _named_by(at: Path, top: Path) -> Path:
    """The folder that a `.git` which is not a folder names."""
    own = _real(at)
    if not own.is_dir():
        kind, _, path = small_text(at).partition(":")
        own = _real(top / path.strip())
        if kind != "gitdir" or not path.strip() or not os.path.isdir(own):  # noqa: PTH112
            raise UsageError(f"{at} does not name a git folder.", hint=_NO_REPOSITORY)
    return own


def _points_to(file: Path, target: Path) -> bool:
    """Whether the path in a file, relative to the file's folder, is `target`."""
    path = small_text(file).strip() if file.is_file() else ""
    if not path:
        return False
    found = file.parent / path
    return target in {_real(found), _real(found.parent) / found.name}


def _worktree(own: Path) -> Path | None:
    """The working copy that a git folder names."""
    named = None
    for name in ("config", "config.worktree"):
        named = read_configuration(own / name).get("core", {}).get("worktree", named)
    return _real(own / named) if named else None


def _real(path: Path) -> Path:
    """The path without symbolic links; whoever wrote it may have put anything into it."""
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:
        raise UsageError(f"{str(path)!a} is not a path.") from error


def _odd(folder: Path, depth: int = 0) -> Iterator[Path]:
    """What is neither a file nor a folder, also so many levels of folders below `folder`."""
    with suppress(OSError), os.scandir(folder) as entries:  # git says what it cannot read
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth:
                    yield from _odd(Path(entry.path), depth - 1)
            elif not entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _copied_as_new(file: Path, at: Path) -> None:
    at.unlink()
    shutil.copyfile(file, at)
    later = time.time() + _LATER_S
    os.utime(at, (later, later))


def _link(target: Path, at: Path) -> None:
    if target.is_file() or target.is_dir():
        at.symlink_to(target)


def _refuse(what: str, hint: str) -> NoReturn:
    raise UsageError(f"{what} to files outside of the repository.", hint=hint)
