"""Which database is used."""

from __future__ import annotations

import os
from pathlib import Path

from data.folders import data_folder


def default_database() -> str:
    """$TROOP_DB, or the database in the data folder."""
    return os.environ.get("TROOP_DB") or str(data_folder() / "troop.db")


def database_url(given: str | Path | None) -> str:
    """The URL of what a person gave: a URL as it is, anything else as the path of a SQLite file."""
    from runs.store.database import sqlite_url

    wanted = str(given or default_database())
    return wanted if "://" in wanted else sqlite_url(Path(wanted).expanduser().absolute())
