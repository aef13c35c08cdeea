"""The command `troop` as people run it: in a process, with folders of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from runs.store.database import sqlite_url
from runs.store.reading import Reader
from tests.support import scripted_model

ROOT = Path(__file__).parents[2]


class Command:
    """Runs `troop` in `folder`, with its data and cache below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.extra: dict[str, str] = {}
        self.program: tuple[str, ...] = ("runs",)
        """A module, and what comes before the words of the command."""

    @property
    def environment(self) -> dict[str, str]:
        folders = {
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONPATH": str(ROOT),
        }
        return os.environ | folders | self.extra

    @property
    def database(self) -> str:
        return sqlite_url(self.folder / "data" / "troop" / "troop.db")

    def reader(self) -> Reader:
        return Reader(self.database)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", *self.program, *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        process = self.start(*words)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def finish(self, *words: str) -> str:
        """Standard output of a command that must succeed."""
        code, output, errors = self.run(*words)
        assert code == 0, output + errors
        return output


def calc_repository(folder: Path) -> Path:
    """The scripted model's tiny repository, committed, with its issue beside it."""
    repository = folder / "calc"
    for path, text in scripted_model.FILES.items():
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    # The same commit every time, so that Docker images prepared for it are found again.
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2024-01-01T00:00:00Z")
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=repository, check=True, env=os.environ | dates)
    (folder / "issue.md").write_text(scripted_model.ISSUE)
    return repository


def solve_words(repository: Path, url: str, *more: str) -> list[str]:
    """`troop solve` on that repository, on this machine."""
    words = ["solve", "--repo", str(repository), "--issue", str(repository.parent / "issue.md")]
    settings = ["--samples", "4", "--set", "samples.editing_turns=3", "--sandbox", "local"]
    return [*words, "--model", "mock", "--base-url", url, *settings, *more]
