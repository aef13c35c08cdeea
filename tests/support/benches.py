"""A workbench over a real store, a real HTTP client and the plain sandbox: for contract suites."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.observer import Unobserved
from agent.openai_client import OpenAIClient
from agent.prices import Prices
from agent.slots import Slots
from agent.workbench import Workbench
from runs.store.database import sqlite_url
from runs.store.registry import RunSpec
from runs.store.store import Store
from sandbox.protocol import Limits
from tests.support.claims import begun
from tests.support.plain_sandbox import PlainSandbox
from tests.support.scripted_model import FILES
from tests.support.world import instance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SPEC = RunSpec(
    name="bench",
    dataset="tiny",
    model="mock",
    sandbox="plain",
    replayed=False,
    config={},
    config_digest="",
    owner="me",
    version="",
    samples=0,
)


@asynccontextmanager
async def opened(
    folder: Path, base_url: str | None, files: dict[str, str] = FILES
) -> AsyncIterator[Workbench]:
    """The workbench of one instance, its journal in `folder`; without a URL it only recalls."""
    sandbox = PlainSandbox(dict(files))
    with Store(sqlite_url(folder / "bench.db")) as store:
        _, claim = await begun(store, SPEC, instance())
        client = None
        if base_url is not None:
            client = OpenAIClient(
                base_url,
                "OPENAI_API_KEY",
                timeout_s=30.0,
                retry_budget_s=5.0,
                max_tokens_field="max_tokens",
                on_retry=lambda reason, wait_s: None,
                sleep=asyncio.sleep,
            )
        yield Workbench(
            instance(),
            await sandbox.read_codebase(),
            client=client,
            sandbox=sandbox if client else None,
            journal=store.journal(claim),
            observer=Unobserved(),
            prices=Prices(),
            model_slots=Slots(8),
            sandbox_slots=Slots(2),
            limits=Limits(),
        )
        if client is not None:
            await client.close()
