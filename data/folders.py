"""Where Troop keeps things on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from platformdirs.api import PlatformDirsABC


def data_folder() -> Path:
    """For what people want to keep: the database, patches."""
    return _folder(lambda folders: folders.user_data_path)


def cache_folder() -> Path:
    """For what can be made again."""
    return _folder(lambda folders: folders.user_cache_path)


def state_folder() -> Path:
    """For what Troop knows about this machine: which images it pulled or made."""
    return _folder(lambda folders: folders.user_state_path)


def _folder(which: Callable[[PlatformDirsABC], Path]) -> Path:
    from platformdirs import PlatformDirs
    from platformdirs.unix import Unix

    # Troop 0.1.0 used these folders on every system; its files are still found there.
    before = which(Unix("troop"))
    return before if before.exists() else which(PlatformDirs("troop", appauthor=False))
