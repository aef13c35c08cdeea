"""Finding, showing and removing what Troop left behind: `troop gc`.

Only what Troop provably made and provably nobody uses: containers and folders of dead
owners, half-made things, and, if a person asks for it, images that nothing uses.
"""

from __future__ import annotations

import contextlib
import functools
import time
from typing import TYPE_CHECKING

from data.errors import SandboxError
from sandbox.leftover import Leftover
from sandbox.local.folders import dead_folders, local_folder, remove_tree, tree_bytes
from sandbox.locks import tried

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.docker.engine import Engine
    from sandbox.docker.images.ledger import Ledger
    from sandbox.leftover import Scope

_HALF_MADE_S = 3600.0


class Places:
    """Where things are left: an engine, if one answers, and this user's folders."""

    def __init__(
        self, engine: Engine | None, ledger: Ledger | None = None, folder: Path | None = None
    ) -> None:
        """`ledger`, `folder`: by default, those of the sandboxes."""
        self._engine = engine
        self._ledger = ledger
        self._folder = folder or local_folder()

    def leftovers(self, scope: Scope) -> list[Leftover]:
        """Everything that can be removed.

        Raises:
            SandboxError: the engine failed.
        """
        found = [*_dead_folders(self._folder / "running"), *_half_made(self._folder)]
        if self._engine is not None:
            from sandbox.docker.gc import abandoned, image_leftovers

            found += abandoned(self._engine)
            if scope.images:
                found += image_leftovers(self._engine, self._images(self._engine), scope)
        return found

    def others(self) -> tuple[int, int]:
        """How many unused images another or an older Troop made, and their own bytes.

        Raises:
            SandboxError: the engine failed.
        """
        if self._engine is None:
            return 0, 0
        from sandbox.docker.gc import unused_images

        found = unused_images(self._engine, self._images(self._engine), others=True)
        return len(found), sum(image.size for image in found)

    def _images(self, engine: Engine) -> Ledger:
        from sandbox.docker.images.images import engine_ledger

        return self._ledger or engine_ledger(engine)


@contextlib.contextmanager
def connected() -> Iterator[tuple[Engine | None, str]]:
    """The engine, or why there is none."""
    from sandbox.docker.engine import Engine

    engine, why = None, ""
    try:
        engine = Engine.connect()
    except SandboxError as error:
        why = error.message
    try:
        yield engine, why
    finally:
        if engine is not None:
            engine.close()


def _dead_folders(base: Path) -> Iterator[Leftover]:
    for folder in dead_folders(base):
        pid = folder.name.split("_")[1]
        yield _leftover("folder", folder, f"process {pid} is gone")


def _half_made(base: Path) -> Iterator[Leftover]:
    """Templates that were not finished, and files that were not fully written."""
    for folder in _inside(base / "templates"):
        if folder.is_dir() and not (folder / "ready").exists():
            lock = folder.with_suffix(".lock")
            with tried(lock) as why_not:
                free = why_not is None
            if free:
                yield _leftover("half-made", folder, "its making was cut off", lock)
    for file in _inside(base.parent / "codebases"):
        # data/writing.py gives such names to unfinished files.
        temporary = file.name.startswith(".") and len(file.name) == len(".") + 32
        with contextlib.suppress(OSError):
            if temporary and time.time() - file.stat().st_mtime > _HALF_MADE_S:
                yield _leftover("half-made", file, "its writing was cut off")


def _leftover(what: str, path: Path, why: str, lock: Path | None = None) -> Leftover:
    size = tree_bytes(path) if path.is_dir() else path.stat().st_size
    remove = functools.partial(_remove, path, lock)
    return Leftover(what, str(path), size, path.stat().st_mtime, why, remove)


def _remove(path: Path, lock: Path | None) -> bool:
    with tried(lock) if lock else contextlib.nullcontext() as why_not:
        if why_not is not None or (lock and (path / "ready").exists()):
            return False
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    return not path.exists()


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
