"""Trajectories put into a database without a model: one reply each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.journal import TrajectoryId, TurnPrompt
from agent.model import Choice, Finish, Message, ModelRequest, Response
from runs.store.registry import RunSpec
from runs.store.store import Store
from tests.support.claims import begun
from tests.support.world import instance

if TYPE_CHECKING:
    from collections.abc import Iterable


def spec(name: str) -> RunSpec:
    return RunSpec(
        name=name,
        dataset="d",
        model="m",
        sandbox="local",
        replayed=False,
        config={},
        config_digest="1",
        owner="me",
        version="1",
        samples=1,
    )


async def record_talks(url: str, talks: Iterable[TrajectoryId], name: str = "r") -> None:
    """A run with an instance "calc", whose trajectories each say "said by " and their key."""
    with Store(url) as store:
        _, claim = await begun(store, spec(name), instance())
        journal = store.journal(claim)
        for talk in talks:
            request = ModelRequest(talk.key, 0, "m", (Message("user", "?"),), None, 10)
            reply = Response((Choice(f"said by {talk.key}", Finish.STOP),), None, 1.0)
            prompt = TurnPrompt(talk, 0, talk.key, f"asked of {talk.key}", "system", "prefix")
            await journal.record_call(request, reply, [prompt], None)
