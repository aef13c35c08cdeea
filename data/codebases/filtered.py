"""Files that git stores in another form than the working copy.

Git LFS stores pointers, git-crypt stores encrypted files, and
`working-tree-encoding` stores UTF-8. What scripts need is only in the working
copy. Troop never runs a filter, because a repository's configuration may name
any program. So whether such a file is changed is known from the index, as git
last noted it, and for Git LFS from its pointer.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from data.codebases.stored import TreeEntry, listing, open_objects, read_line
from data.git_folder import GitFolder
from data.git_process import person, run_git
from data.paths import decode_path, encode_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_ATTRIBUTES = ("filter", "working-tree-encoding", "eol", "ident")
_MENTIONED = re.compile("|".join(_ATTRIBUTES).encode())
_NAMES = {"lfs": "Git LFS", "git-crypt": "git-crypt"}
_POINTERS = (b"version https://git-lfs.github.com/", b"\0GITCRYPT\0")
_POINTER = re.compile(
    rb"\Aversion https://git-lfs\.github\.com/.*^oid sha256:([0-9a-f]{64})$",
    re.MULTILINE | re.DOTALL,
)
_POINTER_BYTES = 1024
_SHA1_DIGITS = 40
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Filtered:
    """A file that is behind a filter or a conversion."""

    entry: TreeEntry
    by: str
    """For people: "Git LFS", "the filter up", "working-tree-encoding=UTF-16". "": only line ends or
    `$Id$` differ, so an edit of what git stores is an edit of the file."""
    digest: str
    """Git's hash of what the working copy has; "": it does not have the commit's file."""

    @property
    def has_pointer(self) -> bool:
        """Whether only a pointer, or an encrypted file, is here."""
        return not self.digest and self.by in _NAMES.values()

    @property
    def reason(self) -> str:
        """Why the file can be neither read nor edited."""
        if self.has_pointer:
            return f"kept by {self.by}, and its content is not here"
        return f"kept by git in another form ({self.by})"


def find_filtered(repository: Path, commit: str, lines: Sequence[bytes]) -> dict[str, Filtered]:
    """The files of a commit that git stores in another form, by path. `lines`: its listing.

    Raises:
        GitFailedError: git cannot read the repository.
    """
    if not _may_be_named(repository, lines):
        return {}
    files = [read_line(line) for line in lines if line.startswith(b"100")]
    named = _named(repository, files)
    if not named:
        return {}
    changed = _changed(repository, commit, named)
    found = {}
    for entry in files:
        by = named.get(entry.path)
        if by is None:
            continue
        as_committed = changed is not None and entry.path not in changed
        digest = _digest(repository, entry) if as_committed else ""
        # Leave out a filter that changes nothing here, such as one that strips notebooks.
        if digest != entry.object_id and (digest or by):
            found[entry.path] = Filtered(entry, by, digest)
        elif digest and _is_pointer(repository, entry):
            found[entry.path] = Filtered(entry, by, "")
    return found


def changed_files(repository: Path, commit: str) -> list[str]:
    """The tracked files whose working copy is not that of the commit, which is checked out.

    A submodule counts if it has another commit checked out; its own files do not.

    Raises:
        GitFailedError: git cannot read the repository.
    """
    changed = _status(repository)
    if not changed:
        return []
    lines = listing(repository, commit)
    behind = {}
    if _may_be_named(repository, lines):
        behind = _named(repository, [read_line(line) for line in lines if line.startswith(b"100")])
    found = _changed(repository, commit, behind)
    return changed if found is None else [path for path in changed if path in found]


def open_working(repository: Path, entry: TreeEntry) -> BinaryIO:
    """A file of the working copy. Raises OSError if it is missing or not a file."""
    path = encode_path(f"{repository}/{entry.path}")
    if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):  # noqa: PTH120 - bytes
        raise OSError(f"{entry.path} is behind a symbolic link")
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    file = os.fdopen(number, "rb")
    if not stat.S_ISREG(os.fstat(number).st_mode):
        file.close()
        raise OSError(f"{entry.path} is not a file")
    return file


def _may_be_named(repository: Path, lines: Sequence[bytes]) -> bool:
    """Whether an attributes file has one of our words. This is quicker than asking git."""
    of_git = (line for line in lines if line.endswith(b".gitattributes"))
    sources = [repository / read_line(line).path for line in of_git]
    sources += [GitFolder.of(repository).attributes, Path(person()["core.attributesfile"])]
    return any(_MENTIONED.search(_content(source)) for source in sources)


def _content(source: Path) -> bytes:
    try:
        return source.read_bytes() if source.is_file() else b""
    except OSError:  # git may know more
        return _ATTRIBUTES[0].encode()


def _named(repository: Path, files: Sequence[TreeEntry]) -> dict[str, str]:
    """The files with an attribute that changes them, and its name for people."""
    asked = b"\0".join(encode_path(entry.path) for entry in files)
    said = run_git(
        ["check-attr", "-z", "--stdin", *_ATTRIBUTES], folder=repository, content=asked + b"\0"
    ).split(b"\0")
    named: dict[str, str] = {}
    for path, attribute, value in zip(said[0::3], said[1::3], said[2::3], strict=False):
        by = _by(attribute.decode("ascii"), value.decode("utf-8", "replace"))
        if by is not None:
            at = decode_path(path)
            named[at] = named.get(at) or by
    return named


def _by(attribute: str, value: str) -> str | None:
    if value in {"unspecified", "unset"}:
        return None
    match attribute:
        case "filter":
            return None if value == "set" else _NAMES.get(value, f"the filter {value}")
        case "working-tree-encoding":
            return f"working-tree-encoding={value}"
        case "eol":
            return "" if value == "crlf" else None
        case _:
            return ""


def _changed(repository: Path, commit: str, named: Mapping[str, str]) -> set[str] | None:
    """The files that differ from the commit; None: it is not checked out.

    `named`: the files with an attribute that changes them.
    """
    head = run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], folder=repository)
    if head.decode("ascii").strip() != commit:
        return None
    changed = set(_status(repository))
    unsure = changed & {path for path, by in named.items() if by}
    if unsure:
        changed -= unsure - set(_status(repository, trusting=True))
        changed -= _with_content(repository, commit, unsure & changed)
    return changed


def _status(repository: Path, *, trusting: bool = False) -> list[str]:
    """The files that git says differ. `trusting`: without reading those that look untouched."""
    arguments = ["status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames"]
    arguments.append("--ignore-submodules=dirty")  # git would run itself in each of them
    status = run_git(arguments, folder=repository, trusting=trusting)
    return [decode_path(each[3:]) for each in status.split(b"\0") if each]


def _with_content(repository: Path, commit: str, paths: set[str]) -> set[str]:
    """Those of Git LFS' files whose working copy is what the commit's pointer names."""
    if not paths:
        return set()
    entries = map(read_line, listing(repository, commit))
    with open_objects(repository) as objects:
        return {
            entry.path
            for entry in entries
            if entry.path in paths and _is_named(repository, entry, objects.content(entry))
        }


def _is_named(repository: Path, entry: TreeEntry, pointer: bytes) -> bool:
    named = _POINTER.search(pointer[:_POINTER_BYTES])
    return named is not None and named[1].decode() == _hash(repository, entry, hashlib.sha256())


def _digest(repository: Path, entry: TreeEntry) -> str:
    """Git's hash of a file in the working copy; "": there is none."""
    sha = hashlib.sha1() if len(entry.object_id) == _SHA1_DIGITS else hashlib.sha256()  # noqa: S324
    return _hash(repository, entry, sha, of_git=True)


def _hash(repository: Path, entry: TreeEntry, sha: hashlib._Hash, *, of_git: bool = False) -> str:
    try:
        with open_working(repository, entry) as file:
            if of_git:
                sha.update(b"blob %d\0" % os.fstat(file.fileno()).st_size)
            while block := file.read(_BLOCK):
                sha.update(block)
    except OSError:
        return ""
    return sha.hexdigest()


def _is_pointer(repository: Path, entry: TreeEntry) -> bool:
    """Whether the file was checked out without running its filter."""
    try:
        with open_working(repository, entry) as file:
            return file.read(max(map(len, _POINTERS))).startswith(_POINTERS)
    except OSError:
        return False
