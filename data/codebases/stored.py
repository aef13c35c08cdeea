"""What git stores of a repository: its commits, their entries and the entries' contents."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from data.errors import UsageError
from data.git_process import GitFailedError, run_git, talk_to_git
from data.paths import check_editable, decode_path, show_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBMODULE = b"160000 "
"""The beginning of a submodule's line in a listing."""

_GITLINK = 0o160000
_SYMLINK = 0o120000
_KIND = 0o170000


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file, a link or a submodule of a commit."""

    mode: int
    object_id: str
    path: str
    """Relative to the repository, with forward slashes; see `data.paths`."""

    @property
    def is_submodule(self) -> bool:
        """Whether it is a commit of another repository."""
        return self.mode & _KIND == _GITLINK

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link, whose content is its target."""
        return self.mode & _KIND == _SYMLINK

    @property
    def is_executable(self) -> bool:
        """Whether it is an executable file."""
        return bool(self.mode & 0o100)


def full_commit(repository: Path, commit: str) -> str:
    """The whole hash of a commit that is in the repository.

    Raises:
        UsageError: there is no git, no repository, or no such commit.
    """
    try:
        found = commit_id(repository, commit)
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


def commit_id(repository: Path, commit: str) -> str | None:
    """The whole hash of a commit; None: the repository does not have it.

    Raises:
        GitFailedError: git cannot read the repository.
    """
    if not repository.is_dir():
        raise GitFailedError("there is no such folder")
    name = commit + "^{commit}"
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", name]
    try:
        found = run_git(arguments, folder=repository)
    except GitFailedError as error:
        # A missing commit is not an error; a repository that git cannot read is one.
        if error.message.startswith("fatal: "):
            raise
        return None
    return found.decode("ascii").split()[-1]


def listing(repository: Path, commit: str) -> list[bytes]:
    """The lines that git lists for a commit, in its order. Quick for thousands of files.

    Raises:
        GitFailedError: git cannot read it.
    """
    said = run_git(["ls-tree", "-r", "-z", "--full-tree", commit], folder=repository)
    return said.split(b"\0")[:-1]


def read_line(line: bytes) -> TreeEntry:
    """Read a line of a listing.

    Raises:
        UsageError: the path leads out of the repository.
    """
    head, _, path = line.partition(b"\t")
    mode, _, object_id = head.split(b" ")
    entry = TreeEntry(int(mode, 8), object_id.decode("ascii"), decode_path(path))
    check_editable(entry.path)
    return entry


class Objects:
    """Objects from one `git cat-file --batch`, one after the other."""

    def __init__(self, requests: IO[bytes], body: IO[bytes]) -> None:
        self._requests = requests
        self.body = body

    def ask(self, entry: TreeEntry) -> int:
        """Ask for an entry's content. Returns its size in bytes; `body` then gives the content."""
        self._requests.write(entry.object_id.encode("ascii") + b"\n")
        self._requests.flush()
        answer = self.body.readline().split()
        if len(answer) != 3 or answer[1] != b"blob":  # noqa: PLR2004 - id, type, size
            raise UsageError(
                f"The repository lacks the content of {show_path(entry.path)}.",
                hint="Run `git fsck`; a partial clone may need `git fetch --refetch`.",
            )
        return int(answer[2])

    def finish(self) -> None:
        """Skip the newline that ends a content."""
        self.body.read(1)

    def content(self, entry: TreeEntry) -> bytes:
        """The whole of an entry's content."""
        content = self.body.read(self.ask(entry))
        self.finish()
        return content


@contextmanager
def open_objects(repository: Path) -> Iterator[Objects]:
    """The contents of a repository's objects.

    Raises:
        UsageError: there is no git, no repository, or it leads to files of another one.
    """
    with talk_to_git(["cat-file", "--batch"], folder=repository) as (requests, body):
        yield Objects(requests, body)
