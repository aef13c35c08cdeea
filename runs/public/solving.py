"""Solving one issue from a program."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from data.errors import UsageError
from data.instances.instance import Instance
from runs.run.config import load_config
from runs.run.display import Quiet
from runs.run.own import own_instance
from runs.run.session import Job, carry_out
from runs.store.places import database_url
from runs.store.reading import Reader
from runs.store.registry import Status
from selection.selectors.protocol import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from runs.run.config import SandboxKind
    from runs.run.display import Display
    from runs.store.story import Story
    from selection.support import Support

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Repair:
    """The result of solving one issue."""

    run: str
    """The name of the run, as `troop show` lists it."""
    instance_id: str
    patch: str
    """The chosen patch, for `git apply`; "": none was chosen."""
    reason: Reason | None
    """What decided; None: there was nothing to choose from."""
    support: Support | None
    """What the tests say of the patch; None: there is no patch."""
    cost_usd: float | None
    """The known cost in US dollars; None: no price is known."""
    database: str
    """Where everything is stored: a SQLAlchemy URL."""

    @property
    def patched(self) -> bool:
        """Whether a patch was chosen, right or wrong."""
        return bool(self.patch)

    @property
    def solved(self) -> bool:
        """`patched`, by its former name."""
        return self.patched

    @property
    def story(self) -> Story:
        """Everything that happened: samples, candidates, tests, votes, conversations.

        Each story is read again from the database, each part when it is asked for.
        """
        reader = Reader(self.database)
        return reader.story(reader.instance(self.run, self.instance_id))


async def solve_async(
    issue: str | Path | Instance,
    repo: str | Path | None = None,
    *,
    model: str = "",
    base_url: str | None = None,
    samples: int | None = None,
    sandbox: SandboxKind | None = None,
    image: str | None = None,
    setup: str = "",
    repo_dir: str = "/testbed",
    language: str = "",
    dataset: str = "",
    name: str = "",
    fresh: bool = False,
    take_over: bool = False,
    database: str | Path | None = None,
    config: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    display: Display | None = None,
) -> Repair:
    """Solve one issue. Called again with the same arguments, it continues, or reads what is stored.

    If it is cancelled, the run can be resumed.

    Args:
        issue: its text; or the path of a file with the text; or an instance, without `repo`.
        repo: your git repository. Work starts from its HEAD.
        model: the model's name on the server.
        base_url: an OpenAI-compatible server, usually ending in /v1.
        samples: how many independent attempts; None: 10, or as many as the run has.
        sandbox: "docker", which is the default, "local" or "auto".
        image: the Docker image that the repository is put on; None: the one of its language.
        setup: the command that installs the repository there, run once with network.
        repo_dir: the folder of the image that the repository is put in.
        language: the repository's language; "": going by its files.
        dataset: where an instance came from, as it is stored.
        name: the run's name; "": the run with these settings, or a new one.
        fresh: begin a new run instead of resuming one.
        take_over: take the instance at once from another process that works on it.
        database: a SQLite file or a SQLAlchemy URL; None: $TROOP_DB, or that of the data folder.
        config: a TOML file of settings.
        settings: any settings by dotted name. They take precedence over all others.
        display: shows the progress; None: nothing is shown.

    Raises:
        TroopError: it cannot be done; what was done is stored.
    """
    shown = display or Quiet()
    notes: list[str] = []
    named = {
        "model.name": model or None,
        "model.base_url": base_url,
        "samples.count": samples,
        "batch.sandbox": sandbox,
    }
    given = {key: value for key, value in named.items() if value is not None}
    loaded = load_config(config, given | dict(settings or {}), tell=notes.extend)
    where = {"image": image, "setup": setup, "repo_dir": repo_dir, "language": language}
    local = loaded.batch.sandbox == "local"
    instance = await asyncio.to_thread(_instance, issue, repo, where, local, notes)
    job = Job(
        dataset=dataset or str(instance.environment.source or instance.repo),
        instances=[instance],
        config=loaded,
        database=database_url(database),
        name=name,
        fresh=fresh,
        take_over=take_over,
        waits=False,
    )
    for note in notes:
        shown.note(note)
    finished = await carry_out(job, shown, signals=False)
    if finished.tally.status is Status.INTERRUPTED:
        raise asyncio.CancelledError
    for error in finished.tally.errors.values():
        raise error
    return await asyncio.to_thread(_repair, finished.run, instance.instance_id, job.database)


def _instance(
    issue: str | Path | Instance,
    repo: str | Path | None,
    where: Mapping[str, Any],
    local: bool,
    notes: list[str],
) -> Instance:
    if isinstance(issue, Instance):
        if repo is not None:
            raise UsageError("An instance names its own repository.", hint="Give it without repo.")
        return issue
    if repo is None:
        raise UsageError("No repository is given.", hint="Give repo, or an Instance as the issue.")
    instance, told = own_instance(Path(repo), issue, local=local, **where)
    notes += told
    return instance


def _repair(run: str, instance_id: str, database: str) -> Repair:
    with Reader(database) as reader:
        found = reader.instance(run, instance_id)
        reason = Reason(found.reason) if found.reason else None
        patch = reader.text(found.patch)
        evidence = reader.story(found).evidence
        support = None if evidence is None else evidence.support
        return Repair(run, instance_id, patch, reason, support, found.cost_usd, database)


def _blocking(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """The same for callers without an event loop."""

    @functools.wraps(work)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            raise UsageError(
                f"{call.__name__} blocks, and an event loop is running here.",
                hint=f"Use: await troop.{work.__name__}(…)",
            )
        return asyncio.run(work(*args, **kwargs))

    call.__name__ = call.__qualname__ = work.__name__.removesuffix("_async")
    return call


solve = _blocking(solve_async)
