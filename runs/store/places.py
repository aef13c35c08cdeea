"""Where Troop keeps things on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """What people want to keep: the database, patches."""
    return _folder("XDG_DATA_HOME", ".local/share")


def cache_folder() -> Path:
    """What can be made again."""
    return _folder("XDG_CACHE_HOME", ".cache")


def default_database() -> str:
    """$TROOP_DB, or the database in the data folder."""
    return os.environ.get("TROOP_DB") or str(data_folder() / "troop.db")


def database_url(given: str | None) -> str:
    """A database URL for what a person gave: a URL as it is, else the path of a SQLite file."""
    from runs.store.database import sqlite_url

    wanted = given or default_database()
    return wanted if "://" in wanted else sqlite_url(Path(wanted).expanduser().absolute())


def _folder(variable: str, otherwise: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / otherwise) / "troop"
