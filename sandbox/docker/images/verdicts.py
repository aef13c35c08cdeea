"""What is remembered of images that need no other made of them: they hide nothing, say."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from data.folders import cache_folder
from data.writing import write_whole

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)


class Verdicts:
    """Keys of clean images on disk, one small file for each.

    Any number of processes may share a folder. A folder that cannot be written
    costs only the time to look again.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` defaults to `troop/clean` in the user's cache folder."""
        self._folder = folder or cache_folder() / "clean"

    def is_clean(self, key: str) -> bool:
        """Whether `key` was remembered."""
        try:
            return self._path(key).read_text("utf-8") == key
        except (OSError, ValueError):
            return False

    def remember(self, key: str) -> None:
        """Remember that what `key` names is clean."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, key.encode())
        except OSError as error:
            _LOG.warning("That an image is clean could not be remembered: %s", error)

    def _path(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
