"""One small repository, in Docker and on this machine."""

from __future__ import annotations

import os
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from data.codebase_reader import CodebaseCache
from data.instance import Environment, Instance
from data.patch import UNEDITED, FileChange, Patch
from sandbox.docker import DockerProvider
from sandbox.local import LocalProvider
from sandbox.local.isolation import Isolation
from sandbox.protocol import Limits, Script
from tests.support.docker import docker_engine, python_image, require_docker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from sandbox.protocol import Execution, Sandbox, SandboxProvider

    Opener = Callable[[str], AbstractAsyncContextManager["World"]]

__all__ = ["docker_engine", "python_image"]

FILES = {
    "README": b"hello\n",
    "pkg/__init__.py": b"",
    "pkg/ops.py": b"def two():\n    return 3\n",
    "pkg/deep/only.py": b"X = 1\n",
    "run.sh": b"#!/bin/sh\necho ran\n",
    "blob.bin": bytes(range(256)) * 4,
    "l\xc3\xa4nder/\xc3\xb1.txt".encode("latin-1").decode(): b"n\n",
}
LINKS = {"outside": "/etc", "inside": "pkg", "tail": "README"}


@dataclass
class World:
    """A sandbox on the repository, and a short way to run scripts in it."""

    kind: str
    sandbox: Sandbox
    provider: SandboxProvider
    instance: Instance
    run_id: str
    folder: Path

    async def run(self, code: str, *changes: FileChange, **limits: float) -> Execution:
        script = Script(code)
        return await self.execute(script, Patch("", changes), **limits)

    async def execute(self, script: Script, patch: Patch = UNEDITED, **limits: float) -> Execution:
        return await self.sandbox.execute(script, patch, self.limits(**limits))

    @staticmethod
    def limits(**limits: float) -> Limits:
        return replace(Limits(timeout_s=60, memory_mb=512, cpus=2), **limits)  # type: ignore[arg-type]

    def changed(self, **fields: object) -> Instance:
        """The instance with another environment."""
        environment = replace(self.instance.environment, **fields)  # type: ignore[arg-type]
        return replace(self.instance, environment=environment)


def git(folder: Path, *words: str) -> str:
    """Run git in `folder` as somebody, at some time."""
    who = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_AUTHOR_DATE": "2001-01-01T00:00Z",
    }
    who |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "core.autocrlf=false", *words],
        check=True,
        capture_output=True,
        env=os.environ | who,
    )
    return done.stdout.decode().strip()


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The repository; its commit is the same in every session of one worker."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q", "-b", "main")
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "run.sh").chmod(0o755)
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", f"Tests of worker {worker_id}")
    return folder


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The xdist worker's, also without xdist."""
    workerinput = getattr(request.config, "workerinput", {})
    return str(workerinput.get("workerid", "master"))


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what several tests may share: templates and codebases."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def _prepared_images(python_image: str) -> Iterator[None]:
    """Remove the images that the session's repository was laid on."""
    import docker

    client = docker.from_env()
    before = {tag for image in client.images.list("troop/prepared") for tag in image.tags}
    yield
    for image in client.images.list("troop/prepared"):
        for tag in set(image.tags) - before:
            client.images.remove(tag, force=True)
    client.close()


@pytest.fixture
def open_world(
    request: pytest.FixtureRequest, repository: Path, session_folder: Path, worker_id: str
) -> Opener:
    """Opens a world: "docker", "local", or "bare" (local without namespaces)."""

    @asynccontextmanager
    async def opened(kind: str) -> AsyncIterator[World]:
        image = None
        cache = CodebaseCache(session_folder / "codebases")
        provider: DockerProvider | LocalProvider
        if kind == "docker":
            request.getfixturevalue("_prepared_images")
            image = request.getfixturevalue("python_image")
            provider = DockerProvider(cache=cache)
        else:
            isolation = Isolation.NONE if kind == "bare" else None
            provider = LocalProvider(
                isolation=isolation, folder=session_folder / "local", cache=cache
            )
        environment = Environment(image=image, repo_dir="/testbed", source=repository)
        instance = Instance("own__repo-1", "own/repo", "HEAD", "It is wrong.", environment)
        run_id = f"test-{worker_id}-{os.getpid()}"
        async with provider:
            sandbox = await provider.open(instance, run=run_id)
            yield World(kind, sandbox, provider, instance, run_id, session_folder / "local")
            await sandbox.close()

    return opened


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "local"])
async def world(request: pytest.FixtureRequest, open_world: Opener) -> AsyncIterator[World]:
    """Each kind of sandbox in turn."""
    if request.param == "docker":
        require_docker()
    async with open_world(request.param) as opened:
        yield opened


@pytest.fixture
async def docker_world(open_world: Opener) -> AsyncIterator[World]:
    """The Docker sandbox."""
    require_docker()
    async with open_world("docker") as opened:
        yield opened


@pytest.fixture
async def bare_world(open_world: Opener) -> AsyncIterator[World]:
    """The local sandbox without namespaces."""
    async with open_world("bare") as opened:
        yield opened


@pytest.fixture
async def local_world(open_world: Opener) -> AsyncIterator[World]:
    """The local sandbox with what the kernel gives."""
    async with open_world("local") as opened:
        yield opened
