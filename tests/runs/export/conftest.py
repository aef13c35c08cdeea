"""Runs of the scripted model, made once and exported in many ways."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from agent import context
from agent.model import ModelUnavailable
from runs.export.recording import export_recording
from runs.run import batch as engine
from tests.support import scripted_model
from tests.support.model_server import ModelServer, Raw, completion
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runs.store.reading import Reader
    from runs.store.story import Story

PRICE = {"prompt": 2.0, "completion": 8.0}


@dataclasses.dataclass
class Exported:
    """One database with several runs of one instance, and what the server was sent."""

    world: World
    folder: Path
    bodies: list[dict[str, Any]]
    """Of the run "priced"."""

    reader: Reader

    def story(self, run: str) -> Story:
        return self.reader.story(self.reader.instance(run, "calc"))


@pytest.fixture(scope="session")
def exported(tmp_path_factory, make_url) -> Iterator[Exported]:
    """Runs: priced, unpriced, replayed, cancelled (after the context), unsolved."""
    folder = tmp_path_factory.mktemp("export")
    with ModelServer(scripted_model.answer) as server:
        world = World(folder, server.base_url, make_url())
        asyncio.run(world.solve(prices__mock=PRICE, job={"name": "priced"}))
        bodies = list(server.requests)
        asyncio.run(world.solve(job={"name": "unpriced"}, samples__count=1))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "solve_instance", _stop_after_context)
            with pytest.raises(ModelUnavailable):
                asyncio.run(world.solve(job={"name": "cancelled"}, samples__count=3))
    with ModelServer(_without_edits) as server:
        world.base_url = server.base_url
        asyncio.run(world.solve(job={"name": "unsolved"}, samples__count=2))
    replies = folder / "replies.jsonl"
    with world.reader() as reader:
        export_recording(reader.story(reader.instance("priced", "calc")), replies)
    job = {"name": "replayed", "replay": replies}
    asyncio.run(world.solve(prices__mock=PRICE, job=job))
    with world.reader() as reader:
        yield Exported(world, folder, bodies, reader)


async def _stop_after_context(bench, config, *_rest, **_more):
    await context.ContextReader(bench, config.context, config.model.name).gather()
    raise ModelUnavailable("gone")


def _without_edits(body: dict) -> object:
    """The scripted model, but for edits: it only thinks, and no usage is told."""
    if "# Your task: fix the issue" in body["messages"][1]["content"]:
        thought = {"reasoning_content": "It is hard."}
        return Raw(completion([""], usage=None, message=thought))
    return scripted_model.answer(body)
