from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest
from platformdirs.macos import MacOS

from data.folders import cache_folder, data_folder, state_folder
from runs.store.places import default_database

PLACES = [
    (data_folder, "XDG_DATA_HOME", ".local/share"),
    (cache_folder, "XDG_CACHE_HOME", ".cache"),
    (state_folder, "XDG_STATE_HOME", ".local/state"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TROOP_DB", raising=False)
    for _, variable, _ in PLACES:
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.mark.parametrize("given", ["/elsewhere", "", "relative", None])
def test_folders_on_linux(given: str | None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, variable, usual in PLACES:
        if given is not None:
            monkeypatch.setenv(variable, given)
        # The XDG specification says to ignore a path that is not absolute.
        assert folder() == (Path(given) if given == "/elsewhere" else home / usual) / "troop"


def test_what_was_kept_before_platforms_differed_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", MacOS)
    assert data_folder() == home / "Library/Application Support/troop"
    assert cache_folder() == home / "Library/Caches/troop"
    old = home / ".local/share/troop/troop.db"
    old.parent.mkdir(parents=True)
    old.touch()
    assert default_database() == str(old)
    assert cache_folder() == home / "Library/Caches/troop"
