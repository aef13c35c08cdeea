"""This project's own sandbox, through its public API."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self

from benchmarks.parts.contender import check
from benchmarks.parts.machine import BenchmarkError
from data.instances.instance import Environment, Instance
from sandbox.docker import DockerProvider
from sandbox.protocol import Limits

if TYPE_CHECKING:
    from benchmarks.parts.contender import NextJob
    from benchmarks.parts.workload import Job
    from sandbox.docker import DockerSandbox

_LIMITS = Limits()


class Providers:
    """An event loop with a provider of each kind, entered when it is first asked for."""

    def __init__(self, image: str, run: str) -> None:
        self.instance = Instance("benchmark", "own/ledger", "HEAD", "", Environment(image=image))
        self._run = run
        self._providers: dict[bool, DockerProvider] = {}

    def __enter__(self) -> Self:
        self.runner = asyncio.Runner()
        self.runner.__enter__()
        return self

    def __exit__(self, *ending: object) -> None:
        try:
            for provider in self._providers.values():
                self.runner.run(provider.__aexit__(None, None, None))
        finally:
            self.runner.close()

    def open(self, *, warm: bool) -> DockerSandbox:
        """A new sandbox."""
        return self.runner.run(self._open(warm=warm))

    async def _open(self, *, warm: bool) -> DockerSandbox:
        provider = self._providers.get(warm)
        if provider is None:
            provider = await DockerProvider(warm=warm).__aenter__()
            self._providers[warm] = provider
        return await provider.open(self.instance, run=self._run)


class Ours:
    """`DockerProvider.open`, then `Sandbox.execute` for each job."""

    def __init__(self, providers: Providers, name: str, title: str, *, warm: bool = True) -> None:
        """Each has a sandbox, and so containers, of its own."""
        self.name = name
        self.title = title
        self._providers = providers
        self._warm = warm
        self._sandbox: DockerSandbox | None = None

    def prepare(self, workers: int) -> None:
        """Open the sandbox; its containers come with the first executions."""
        if self._sandbox is None:
            self._sandbox = self._providers.open(warm=self._warm)

    def close(self) -> None:
        """End the sandbox's containers."""
        if self._sandbox is not None:
            self._providers.runner.run(self._sandbox.close())
            self._sandbox = None

    def output(self, job: Job) -> str:
        """What one execution prints."""
        return self._providers.runner.run(self._one(job))

    def drive(self, next_job: NextJob, workers: int) -> list[float]:
        """As many tasks as workers."""
        return self._providers.runner.run(self._drive(next_job, workers))

    async def _drive(self, next_job: NextJob, workers: int) -> list[float]:
        took: list[float] = []

        async def work() -> None:
            while (job := next_job()) is not None:
                began = time.monotonic()
                output = await self._one(job)
                took.append(time.monotonic() - began)
                check(self.name, job, output)

        await asyncio.gather(*(work() for _ in range(workers)))
        return took

    async def _one(self, job: Job) -> str:
        assert self._sandbox is not None
        execution = await self._sandbox.execute(job.script, job.patch, _LIMITS)
        if not execution.passed:
            raise BenchmarkError(f"{self.name}: {execution.ending}: {execution.output[-500:]!r}")
        return execution.output
