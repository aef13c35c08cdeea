"""The work of one command: server, sandbox, store and batch together make a finished run."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.metadata
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.openai_client import OpenAIClient
from agent.recording import RecordedClient, read_recording
from agent.slots import Interrupted
from data.errors import UsageError
from runs.run.batch import Batch, Outside, Tally
from runs.run.config import Config, digest
from runs.run.shift import Shift
from runs.run.stopping import Stopping
from runs.run.workshop import Workshop
from runs.store.ownership import Terms
from runs.store.registry import RunSpec
from runs.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from agent.model import ModelClient
    from agent.settings import ModelSettings
    from data.instances.instance import Instance
    from data.predictions.predictions import Prediction
    from runs.run.display import Display
    from runs.store.registry import RunHandle
    from sandbox.protocol import SandboxProvider, Script


NO_MODEL = "none"
"""The model's name in a run that asks no model."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a command asks to be done."""

    dataset: str
    """Where the instances came from, as it is stored."""
    instances: Sequence[Instance]
    config: Config
    database: str
    """A SQLAlchemy URL."""
    name: str = ""
    fresh: bool = False
    again: bool = False
    replay: Path | None = None
    pace: float = 0.0
    """Seconds that a replayed reply takes for a thousand tokens."""
    outside: Outside = field(default_factory=Outside)
    take_over: bool = False
    """Take over instances that others work on, at once."""
    waits: bool = True
    """Wait for instances that others work on; if not, refuse them."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The outcome of a job."""

    run: str
    tally: Tally


async def carry_out(
    job: Job,
    display: Display,
    provider: SandboxProvider | None = None,
    *,
    signals: bool = True,
) -> Finished:
    """Do the job, or what is left of it.

    `signals`: whether Ctrl-C and SIGTERM are answered here, which needs a process of our own and
    its main thread. Cancelling leaves a run that can be resumed in any case.

    Raises:
        TroopError: the job cannot be done; what was done is stored.
    """
    if job.replay is None and job.config.asks_model:
        require_model(job.config)
    stopping = Stopping(job.config, display, signals=signals)
    async with AsyncExitStack() as stack:
        stack.enter_context(stopping.answering())
        store = stack.enter_context(await asyncio.to_thread(Store, job.database))
        provider = provider or await choose(job.config)
        client = _client(job, display, stopping.event)
        if client is not None:
            stack.push_async_callback(client.close)
        terms = terms_of(job.config, take_over=job.take_over, waits=job.waits)
        run, worker, rows = await store.begin(
            _spec(job, provider.kind, terms), job.instances, terms, fresh=job.fresh
        )
        workshop = Workshop(
            store,
            job.config,
            client=client,
            provider=provider,
            display=display,
            stopping=stopping,
        )
        shift = Shift(store, worker, workshop.instances, display, stopping.event)
        await stack.enter_async_context(shift)
        workshop.show(stack, _title(job, run))
        if not all(row.status.final for row in rows):
            await workshop.get_ready(stack, *filter(None, [job.config.context.model]))
            _tell(job, run, display)
        tally = await Batch(workshop, run, shift, job.outside).solve(job.instances, rows)
        shift.status = tally.status
    return Finished(run.name, tally)


def terms_of(config: Config, *, take_over: bool, waits: bool = True) -> Terms:
    """How this process works alongside others."""
    return Terms(config.batch.lease_s, take_over, waits)


def _tell(job: Job, run: RunHandle, display: Display) -> None:
    """Note what a person may not expect of this run."""
    here = {instance.instance_id for instance in job.instances}
    if job.outside.candidates and not here & set(job.outside.candidates):
        display.note("None of the --candidates is for these instances.")
    if run.resumed and run.samples != job.config.wanted_samples:
        display.note(f"The run continues with {run.samples} samples, as it was begun.")
    if job.replay is not None:
        display.note(f"Replies are replayed from {job.replay.name}; everything else is real.")


async def choose(config: Config) -> SandboxProvider:
    """The sandbox that a configuration names.

    Raises:
        SandboxError: it is not available here.
    """
    from sandbox.kinds.choose import choose_provider

    return await choose_provider(config.batch.sandbox, config.images)


def require_model(config: Config) -> None:
    """Refuse a configuration that names no model.

    Raises:
        UsageError: it names none.
    """
    if not config.model.name:
        raise UsageError(
            "No model is named.",
            hint="Give --model, or set name under [model] in the --config file.",
        )


def version() -> str:
    """Troop's version."""
    try:
        return importlib.metadata.version("troop-repair")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _client(job: Job, display: Display, stop: asyncio.Event) -> ModelClient | None:
    """What answers calls; None: no model is asked."""
    if not job.config.asks_model:
        return None
    if job.replay is not None:
        return RecordedClient(read_recording(job.replay), pace=job.pace)
    return open_client(job.config.model, display, stop)


def open_client(settings: ModelSettings, display: Display, stop: asyncio.Event) -> OpenAIClient:
    """The client of a server. It shows its retries, and ends its waits when `stop` is set."""

    async def wait(seconds: float) -> None:
        """Sleep before another try, unless a person asks to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
            raise Interrupted

    return OpenAIClient(
        settings.base_url,
        settings.api_key_env,
        timeout_s=settings.timeout_s,
        retry_budget_s=settings.retry_budget_s,
        max_tokens_field=settings.max_tokens_field,
        on_retry=display.retrying,
        sleep=wait,
    )


def _spec(job: Job, sandbox: str, terms: Terms) -> RunSpec:
    identity = job.config.identity() | {
        "replay": job.replay.name if job.replay else "",
        "sandbox": sandbox,
        "candidates": _digest_of(job.outside.candidates),
    }
    if job.outside.tests:
        identity["tests"] = _digest_of_tests(job.outside.tests)
    return RunSpec(
        name=job.name,
        dataset=job.dataset,
        model=job.config.model.name or NO_MODEL,
        sandbox=sandbox,
        replayed=job.replay is not None,
        samples=job.config.wanted_samples,
        samples_given=job.config.samples.count is not None,
        config=identity,
        config_digest=digest(identity),
        defaults=Config().identity(),
        owner=f"{terms.me} {terms.me.place}",
        version=version(),
        again=job.again,
        instances={one.instance_id: one.digest for one in job.instances},
    )


def _digest_of(outside: Mapping[str, Sequence[Prediction]]) -> str:
    """A digest that differs for different candidates; "" for none."""
    if not outside:
        return ""
    return _digest(
        (p.instance_id, p.model_name_or_path, p.model_patch) for o in outside.values() for p in o
    )


def _digest_of_tests(outside: Mapping[str, Sequence[tuple[str, Script]]]) -> str:
    """A digest that differs for different stored tests."""
    return _digest((name, run, s.text) for name, given in outside.items() for run, s in given)


def _digest(parts: Iterable[tuple[str, ...]]) -> str:
    return hashlib.sha256(repr(sorted(parts)).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _title(job: Job, run: RunHandle) -> str:
    resumed = ", resumed" if run.resumed else ""
    replayed = ", replayed" if job.replay else ""
    return f"{run.name} ({job.config.model.name or 'no model'}{replayed}{resumed})"
