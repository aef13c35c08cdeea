"""A checkout as a tar archive, with the exact bytes of its files.

`git archive` would apply the repository's attributes (export-ignore,
export-subst, filters, line endings), so the archive is built from the objects,
and from the working copy where git stores another form of a file.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from data.codebases.checkout import read_checkout
from data.codebases.filtered import open_working
from data.codebases.stored import listing, open_objects, read_line
from data.errors import UsageError
from data.git_process import GitFailedError, run_git
from data.paths import decode_path, show_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.codebases.checkout import Checkout
    from data.codebases.stored import Objects, TreeEntry

_SPOOL_BYTES = 32 << 20


@contextmanager
def open_checkout(checkout: Checkout, prefix: str = "") -> Iterator[BinaryIO]:
    """The tar of `checkout_tar`, open at its beginning, with all paths below `prefix`.

    Raises:
        UsageError: as `checkout_tar`.
    """
    with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOL_BYTES)) as spool:
        checkout_tar(checkout, spool, prefix=prefix)
        spool.seek(0)
        yield spool


def commit_tar(repository: Path, commit: str, out: BinaryIO, *, prefix: str = "") -> None:
    """`checkout_tar` of a commit, as this machine has it.

    Raises:
        UsageError: there is no such commit, or git cannot read the repository.
    """
    checkout_tar(read_checkout(repository, commit), out, prefix=prefix)


def checkout_tar(checkout: Checkout, out: BinaryIO, *, prefix: str = "") -> None:
    """Write all files of a checkout to `out` as an uncompressed tar stream.

    Paths are relative to the repository, below the folder `prefix` if there is
    one. Times are the commit's, and root owns everything. Symbolic links stay
    links. A submodule is a folder with its files if it is checked out and has
    the commit, otherwise an empty folder.

    Raises:
        UsageError: git cannot read the repository, or a file changes while it is read.
    """
    with tarfile.open(
        fileobj=out,
        mode="w|",
        # Understood everywhere, and the only one that keeps names that are not UTF-8.
        format=tarfile.GNU_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as archive:
        try:
            _add_checkout(archive, checkout, prefix and f"{prefix}/")
        except GitFailedError as error:
            raise UsageError(f"Git cannot read {checkout.repository}: {error.message}") from error


def _add_checkout(archive: tarfile.TarFile, checkout: Checkout, prefix: str) -> None:
    repository, commit = checkout.repository, checkout.commit
    time = int(run_git(["show", "-s", "--format=%ct", commit], folder=repository))
    with open_objects(repository) as objects:
        for entry in map(read_line, listing(repository, commit)):
            member = tarfile.TarInfo(prefix + entry.path)
            member.mtime = time
            filtered = checkout.filtered.get(entry.path)
            if entry.is_submodule:
                _add_submodule(archive, member, checkout.submodules.get(entry.path))
            elif filtered is not None and filtered.digest:
                _add_working(archive, member, repository, entry)
            else:
                _add_stored(archive, member, objects, entry)


def _add_stored(
    archive: tarfile.TarFile, member: tarfile.TarInfo, objects: Objects, entry: TreeEntry
) -> None:
    member.size = objects.ask(entry)
    if entry.is_link:
        member.type, member.mode = tarfile.SYMTYPE, 0o777
        member.linkname = decode_path(objects.body.read(member.size))
        member.size = 0
        archive.addfile(member)
    else:
        member.mode = _mode(entry)
        archive.addfile(member, objects.body)
    objects.finish()


def _add_working(
    archive: tarfile.TarFile, member: tarfile.TarInfo, repository: Path, entry: TreeEntry
) -> None:
    member.mode = _mode(entry)
    try:
        with open_working(repository, entry) as file:
            member.size = os.fstat(file.fileno()).st_size
            archive.addfile(member, file)
    except OSError as error:
        raise UsageError(
            f"{show_path(entry.path)} changed while it was read: {error}.",
            hint="Start again when nothing else works on the repository.",
        ) from error


def _add_submodule(
    archive: tarfile.TarFile, member: tarfile.TarInfo, submodule: Checkout | None
) -> None:
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    archive.addfile(member)
    if submodule is not None:
        _add_checkout(archive, submodule, member.name + "/")


def _mode(entry: TreeEntry) -> int:
    return 0o755 if entry.is_executable else 0o644
