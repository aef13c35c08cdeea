"""A real race of honest and hostile candidates, in a real sandbox."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, get_args

from agent.observer import Unobserved
from agent.prices import Prices
from agent.slots import Slots, together
from agent.workbench import Workbench
from data.codebases.reader import CodebaseCache
from data.instances.instance import Environment, Instance
from data.patches.applying import diff_files
from runs.store.database import sqlite_url
from runs.store.store import Store
from sandbox.docker import DockerProvider
from sandbox.docker.images.made import Verdicts
from sandbox.local import LocalProvider
from sandbox.protocol import Limits
from selection.candidates import Entry
from selection.race import GrowingRace
from selection.settings import SelectionSettings, VoteRule
from selection.votes import rank
from tests.sandbox.repository import git
from tests.support.benches import SPEC
from tests.support.claims import begun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from sandbox.protocol import SandboxProvider
    from selection.matrix import Matrix
    from tests.selection.hostile.catalogue import Hostile
    from tests.selection.hostile.repositories import Repository

RIGHT, WRONG = "honest and right", "honest and wrong"
RULES: tuple[VoteRule, ...] = get_args(VoteRule)
LIMITS = Limits(timeout_s=60, disk_mb=64)


def provider_of(kind: str, folder: Path) -> SandboxProvider:
    """A provider that keeps what it makes in `folder`."""
    cache = CodebaseCache(folder / "codebases")
    if kind == "docker":
        return DockerProvider(cache=cache, verdicts=Verdicts(folder / "clean"))
    return LocalProvider(folder=folder / "local", cache=cache)


async def raced(
    kind: str, repository: Repository, patches: Sequence[Hostile], folder: Path, image: str | None
) -> Matrix:
    """The matrix of the hostile patches beside the two honest ones."""
    source = _committed(repository, folder / "repository")
    environment = Environment(
        image=image,
        repo_dir="/testbed",
        activate="export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1",  # it starts in a third of the time
        source=source,
        language=repository.language,
    )
    instance = Instance("ops", "own/ops", "HEAD", "two gives 3.", environment)
    async with provider_of(kind, folder) as provider, _bench(provider, instance, folder) as bench:
        settings = SelectionSettings(regression_command=repository.command, repeats=0)
        race = GrowingRace(bench, settings, _context)
        for number, script in enumerate(repository.scripts):
            await race.add_test(script, f"test {number}")
        await together(
            *(
                race.add_candidate(Entry(_patch(repository, files, bench), source=name))
                for name, files in {
                    RIGHT: repository.right,
                    WRONG: repository.wrong,
                    **{each.name: {**repository.wrong, **each.files} for each in patches},
                }.items()
            )
        )
        return await race.matrix()


def standings(matrix: Matrix) -> dict[str, dict[str, tuple[int, int]]]:
    """By candidate and rule: its votes, and how many repository tests it breaks, less than none."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for rule in RULES:
        for standing in rank(matrix, rule):
            for name in standing.candidate.sources:
                found.setdefault(name, {})[rule] = (standing.votes, -standing.broken)
    return found


def _patch(repository: Repository, files: Mapping[str, str], bench: Workbench):
    return diff_files({path: text.encode() for path, text in files.items()}, bench.codebase)


def _committed(repository: Repository, folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name, text in repository.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", f"For {folder}, {secrets.token_hex(8)}")
    return folder


async def _context() -> str:
    return "two gives 3."


@asynccontextmanager
async def _bench(
    provider: SandboxProvider, instance: Instance, folder: Path
) -> AsyncIterator[Workbench]:
    sandbox = await provider.open(instance, run=f"test-{secrets.token_hex(8)}")
    with Store(sqlite_url(folder / "bench.db")) as store:
        _, claim = await begun(store, SPEC, instance)
        yield Workbench(
            instance,
            await sandbox.read_codebase(),
            client=None,
            sandbox=sandbox,
            journal=store.journal(claim),
            observer=Unobserved(),
            prices=Prices(),
            model_slots=Slots(1),
            sandbox_slots=Slots(2),
            limits=LIMITS,
        )
    await sandbox.close()
