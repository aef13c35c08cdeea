"""The files of one commit of a git repository on this machine.

They are read as git stores them (no filters, no line-ending conversion, no
`export-ignore`), because patches are made against exactly these bytes. Nothing
is written to the repository, and none of its hooks run.
"""

from __future__ import annotations

import contextlib
import enum
import io
import logging
import os
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, Self, cast

from data.errors import UsageError
from data.paths import check_editable, decode_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SPOOL_BYTES = 32 << 20
_LOG = logging.getLogger(__name__)


class Kind(enum.Enum):
    """What a tracked path is, with git's mode for it."""

    FILE = b"100644"
    EXECUTABLE = b"100755"
    LINK = b"120000"


@dataclass(frozen=True, slots=True)
class Entry:
    """One tracked path of a commit."""

    path: str
    kind: Kind
    content: bytes
    """Of a link: where it points."""


def full_commit(source: Path, commit: str) -> str:
    """The whole hash of `commit` in the repository at `source`.

    Raises:
        UsageError: no git, no repository, or no such commit.
    """
    # 40 digits would pass without a look at whether there is such an object.
    words = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"]
    done = _git(source, *words)
    if done.returncode == 0:
        return done.stdout.decode("ascii").strip()
    said = done.stderr.decode("utf-8", "replace").strip()
    if _git(source, "rev-parse", "--git-dir").returncode != 0:
        raise UsageError(
            f"{source} is not a git repository that this user may read. {said}".strip(),
            mend="Give the folder of a git repository (`git init` makes one).",
        )
    raise UsageError(
        f"The repository {source} has no commit {commit}. {said}".strip(),
        mend="Fetch it (`git fetch --all`), or give another commit.",
    )


def commit_entries(source: Path, commit: str) -> Iterator[Entry]:
    """The files and links of `commit` (whole hash), in git's order; submodules are left out.

    Raises:
        UsageError: git fails, or the commit holds a path that leads out of it.
    """
    done = _git(source, "ls-tree", "-r", "-z", "--full-tree", commit)
    if done.returncode != 0:
        raise _failed(source, done.stderr)
    with _Objects(source) as objects:
        for line in done.stdout.split(b"\0"):
            if not line:
                continue
            about, _, name = line.partition(b"\t")
            mode, _, digest = about.split(b" ")
            path = decode_path(name)
            check_editable(path)
            try:
                kind = Kind(mode)
            except ValueError:
                _LOG.warning("%s: %s is a submodule, its files are left out", source, path)
                continue
            yield Entry(path, kind, objects.read(digest))


@contextlib.contextmanager
def commit_tar(source: Path, commit: str, prefix: str = "") -> Iterator[BinaryIO]:
    """An uncompressed tar of `commit_entries`, at its beginning, under the folder `prefix`."""
    with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOL_BYTES)) as spool:
        with tarfile.open(
            fileobj=spool, mode="w", encoding="utf-8", errors="surrogateescape"
        ) as tar:
            for entry in commit_entries(source, commit):
                info = tarfile.TarInfo(f"{prefix}/{entry.path}" if prefix else entry.path)
                info.mode = 0o755 if entry.kind is Kind.EXECUTABLE else 0o644
                if entry.kind is Kind.LINK:
                    info.type, info.linkname = tarfile.SYMTYPE, decode_path(entry.content)
                    tar.addfile(info)
                else:
                    info.size = len(entry.content)
                    tar.addfile(info, io.BytesIO(entry.content))
        spool.seek(0)
        yield spool


class _Objects:
    """One `git cat-file --batch`, asked for object after object."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._process = subprocess.Popen(
            ["git", "-C", os.fspath(source), "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def read(self, digest: bytes) -> bytes:
        """The content of the object."""
        to_git = cast(IO[bytes], self._process.stdin)
        from_git = cast(IO[bytes], self._process.stdout)
        to_git.write(digest + b"\n")
        to_git.flush()
        head = from_git.readline().split()
        if len(head) != 3:  # noqa: PLR2004 - object, type, size; else "missing" or the end
            raise _failed(self._source, b"object %s is missing" % digest)
        content = from_git.read(int(head[2]) + 1)
        return content[:-1]


def _git(source: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", os.fspath(source), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            env=_environment(),
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed.", mend="Install git.") from error


def _environment() -> dict[str, str]:
    # GIT_DIR and its like would point git at another repository than `source`.
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}


def _failed(source: Path, said: bytes) -> UsageError:
    return UsageError(
        f"git cannot read {source}: {said.decode('utf-8', 'replace').strip()}",
        mend="`git fsck` in the repository says what is wrong.",
    )
