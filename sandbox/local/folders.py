"""The folders of local executions: named by their owner, copied, measured, removed."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from data.folders import cache_folder
from sandbox.owner import Owner, is_dead, this_process

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRIES = 5
_LOG = logging.getLogger(__name__)


def local_folder() -> Path:
    """`local` in Troop's cache folder."""
    return cache_folder() / "local"


class Folders:
    """Temporary folders of one provider, all gone when it closes."""

    def __init__(self, base: Path) -> None:
        """`base`: the folder above those of all owners."""
        me = this_process()
        own = base / _name(me)
        own.mkdir(parents=True, exist_ok=True, mode=0o755)
        self._folder = Path(tempfile.mkdtemp(dir=own))
        self._folder.chmod(0o755)
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def new(self) -> Iterator[Path]:
        """An empty folder, which is removed with its contents at the end."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        try:
            yield folder
        finally:
            remove_tree(folder)

    def close(self) -> None:
        """Remove what is left."""
        remove_tree(self._folder)
        with contextlib.suppress(OSError):
            self._folder.parent.rmdir()


def dead_folders(base: Path) -> list[Path]:
    """The folders in `base` of owners that are provably dead."""
    me = this_process()
    try:
        names = sorted(folder.name for folder in base.iterdir())
    except OSError:
        return []
    parts = [(name, *name.replace("_", ":").partition("@")) for name in names]
    return [base / name for name, owner, _, place in parts if is_dead(owner, place, me)]


def remove_dead_owners(base: Path) -> list[Path]:
    """Remove the folders of dead owners. Returns their paths."""
    removed = dead_folders(base)
    for folder in removed:
        remove_tree(folder)
    return removed


def _name(owner: Owner) -> str:
    # In PYTHONPATH, a colon would end the folder's name.
    return f"{owner}@{owner.place}".replace(":", "_")


def copy_tree(source: Path, target: Path, uid: int | None) -> None:
    """Copy a tree with its modes and times, with links as links, and owned by `uid`."""
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            copy = target / entry.name
            if entry.is_dir(follow_symlinks=False):
                copy_tree(Path(entry.path), copy, uid)
            elif entry.is_file() or entry.is_symlink():  # a setup may leave sockets and pipes
                shutil.copy2(entry.path, copy, follow_symlinks=False)
                if uid is not None:
                    os.chown(copy, uid, uid, follow_symlinks=False)
    shutil.copystat(source, target)
    if uid is not None:
        os.chown(target, uid, uid)


def give_tree(folder: Path, uid: int | None) -> None:
    """Make `uid` the owner of a folder and its contents (None: do not change it)."""
    if uid is None:
        return
    os.chown(folder, uid, uid, follow_symlinks=False)
    for here, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            os.chown(Path(here) / name, uid, uid, follow_symlinks=False)


def tree_bytes(folder: Path) -> int:
    """How many bytes the files in `folder` take on the disk, without files that vanish."""
    total = 0
    todo = [os.fspath(folder)]
    while todo:
        with contextlib.suppress(OSError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def remove_tree(folder: Path) -> None:
    """Remove `folder`, whatever the modes of its contents. Never follows a link."""
    for attempt in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        if attempt == 0:
            _make_removable(folder)
    _LOG.warning("The folder %s could not be removed", folder)


def _make_removable(folder: Path) -> None:
    todo = [folder]
    while todo:
        here = todo.pop()
        with contextlib.suppress(OSError):
            here.chmod(stat.S_IRWXU)
            todo += [path for path in here.iterdir() if path.is_dir() and not path.is_symlink()]
