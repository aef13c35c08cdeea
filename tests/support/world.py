"""A whole Troop on a scripted model: what tests of the pipeline begin with."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from data.instances.instance import Environment, Instance
from runs.run.config import Config, load_config
from runs.run.session import Finished, Job, carry_out
from runs.show.live import LiveDisplay
from runs.store.database import sqlite_url
from runs.store.reading import Reader
from tests.support.plain_sandbox import PlainSandbox
from tests.support.scripted_model import FILES, ISSUE

if TYPE_CHECKING:
    from pathlib import Path


class World:
    """A database, a tiny repository, and a way to run instances in them."""

    def __init__(self, folder: Path, base_url: str, database: str | None = None) -> None:
        self.folder = folder
        self.url = database or sqlite_url(folder / "troop.db")
        self.base_url = base_url
        self.sandbox = PlainSandbox(dict(FILES))
        self.printed = io.StringIO()

    def config(self, **overrides: object) -> Config:
        named = {key.replace("__", "."): value for key, value in overrides.items()}
        defaults = {
            "model.name": "mock",
            "model.base_url": self.base_url,
            "model.retry_budget_s": 5.0,
            "samples.count": 4,
            "samples.editing_turns": 3,
        }
        return load_config(None, defaults | named)

    async def solve(self, *ids: str, **overrides: object) -> Finished:
        """Run instances (one called "calc" by default) as a command would."""
        given = overrides.pop("job", {})
        job = Job(
            dataset="tiny.jsonl",
            instances=[instance(name) for name in ids or ("calc",)],
            config=self.config(**overrides),
            database=self.url,
            **given,
        )
        console = Console(file=self.printed, width=120)
        return await carry_out(job, LiveDisplay(console), self.sandbox)

    def reader(self) -> Reader:
        return Reader(self.url)


def instance(name: str = "calc") -> Instance:
    return Instance(name, "calc", "0" * 40, ISSUE, Environment(image="tiny"))
