"""A commit as a tar archive: exactly the bytes that git stores.

`git archive` would apply the repository's attributes (export-ignore,
export-subst, filters, line endings), so the archive is built from the objects.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from data.errors import UsageError
from data.git_process import GitFailedError, git_environment, git_missing, run_git
from data.paths import check_editable, decode_path, show_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SPOOL_BYTES = 32 << 20
_GITLINK = 0o160000
_SYMLINK = 0o120000
_KIND = 0o170000


def full_commit(repository: Path, commit: str) -> str:
    """The whole hash of a commit that is in the repository.

    Raises:
        UsageError: no git, no repository, or no such commit.
    """
    try:
        found = _commit_id(repository, commit)
    except GitFailedError as error:
        raise UsageError(
            f"{repository} is not a git repository that this user may read: {error}",
            hint="Give the folder of a git repository (`git init` makes one).",
        ) from error
    if found is None:
        raise UsageError(
            f"The repository {repository} has no commit {commit}.",
            hint="Fetch it (`git fetch --all`), or give another commit.",
        )
    return found


@contextmanager
def open_commit(repository: Path, commit: str, prefix: str = "") -> Iterator[BinaryIO]:
    """The tar of `commit_tar`, at its beginning, with all paths below the folder `prefix`.

    Raises:
        UsageError: as `commit_tar`.
    """
    with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOL_BYTES)) as spool:
        commit_tar(repository, commit, spool, prefix=prefix)
        spool.seek(0)
        yield spool


def commit_tar(repository: Path, commit: str, out: BinaryIO, *, prefix: str = "") -> None:
    """Write all tracked files of `commit` to `out` as an uncompressed tar stream.

    Paths are relative to the repository, below the folder `prefix` if there is
    one, times are the commit's, owners are root. Symbolic links stay links; a
    submodule is a folder with its files where it is checked out and has the
    commit, and an empty one elsewhere.

    Raises:
        UsageError: no such commit, or git cannot read the repository.
    """
    with tarfile.open(
        fileobj=out,
        mode="w|",
        # Understood everywhere, and the one that holds names that are not UTF-8 as they are.
        format=tarfile.GNU_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as archive:
        try:
            _add_commit(archive, repository, commit, prefix and f"{prefix}/")
        except GitFailedError as error:
            raise UsageError(f"Git cannot read {repository}: {error.message}") from error


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: int
    object_id: bytes
    path: str


def _add_commit(archive: tarfile.TarFile, repository: Path, commit: str, prefix: str) -> None:
    found = _commit_id(repository, commit)
    if found is None:
        raise UsageError(f"The repository {repository} has no commit {commit}.")
    time = int(run_git(["show", "-s", "--format=%ct", found], folder=repository))
    with _objects(repository) as objects:
        for entry in _entries(repository, found):
            member = tarfile.TarInfo(prefix + entry.path)
            member.mtime = time
            if entry.mode & _KIND == _GITLINK:
                _add_submodule(archive, member, repository / entry.path, entry)
            else:
                _add_file(archive, member, objects, entry)


def _add_file(
    archive: tarfile.TarFile, member: tarfile.TarInfo, objects: _Objects, entry: _Entry
) -> None:
    member.size = objects.ask(entry)
    if entry.mode & _KIND == _SYMLINK:
        member.type, member.mode = tarfile.SYMTYPE, 0o777
        member.linkname = decode_path(objects.body.read(member.size))
        member.size = 0
        archive.addfile(member)
    else:
        member.mode = 0o755 if entry.mode & 0o100 else 0o644
        archive.addfile(member, objects.body)
    objects.finish()


def _add_submodule(
    archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, entry: _Entry
) -> None:
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    archive.addfile(member)
    # Without a `.git` of its own, git would take the repository around it.
    if not folder.is_symlink() and (folder / ".git").exists():
        commit = entry.object_id.decode("ascii")
        if _commit_id(folder, commit) is not None:
            _add_commit(archive, folder, commit, member.name + "/")


def _commit_id(repository: Path, commit: str) -> str | None:
    """Resolve a name to the id of a commit that is there."""
    if not repository.is_dir():
        raise GitFailedError("there is no such folder")
    name = commit + "^{commit}"
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", name]
    try:
        found = run_git(arguments, folder=repository)
    except GitFailedError as error:
        # Quiet about a missing commit, not about a repository that it cannot read.
        if error.message.startswith("fatal: "):
            raise
        return None
    return found.decode("ascii").split()[-1]


def _entries(repository: Path, commit: str) -> Iterator[_Entry]:
    listing = run_git(["ls-tree", "-r", "-z", "--full-tree", commit], folder=repository)
    for line in listing.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            mode, _, object_id = head.split(b" ")
            entry = _Entry(int(mode, 8), object_id, decode_path(path))
            check_editable(entry.path)
            yield entry


class _Objects:
    """Objects out of one `git cat-file --batch`, one after the other."""

    def __init__(self, requests: IO[bytes], body: IO[bytes]) -> None:
        self._requests = requests
        self.body = body

    def ask(self, entry: _Entry) -> int:
        """Ask for an entry's content; its size in bytes. `body` gives the content."""
        self._requests.write(entry.object_id + b"\n")
        self._requests.flush()
        answer = self.body.readline().split()
        if len(answer) != 3 or answer[1] != b"blob":  # noqa: PLR2004 - id, type, size
            raise UsageError(
                f"The repository lacks the content of {show_path(entry.path)}.",
                hint="Run `git fsck`; a partial clone may need `git fetch --refetch`.",
            )
        return int(answer[2])

    def finish(self) -> None:
        """Step over the newline that ends a content."""
        self.body.read(1)


@contextmanager
def _objects(repository: Path) -> Iterator[_Objects]:
    try:
        process = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=repository,
            env=git_environment(private=False),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise git_missing() from None
    with process:
        try:
            yield _Objects(cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout))
        finally:
            process.kill()
