"""One small repository, in Docker and on this machine."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from data.codebase_reader import CodebaseCache
from data.instance import Environment, Instance
from sandbox.docker import DockerProvider
from sandbox.local import LocalProvider
from sandbox.local.isolation import Isolation
from tests.support.docker import docker_engine, python_image, require_docker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    Opener = Callable[[str], AbstractAsyncContextManager["World"]]

__all__ = ["docker_engine", "python_image"]


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
