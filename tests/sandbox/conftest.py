"""One small repository, in Docker and on this machine."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import docker
import pytest

from data.codebases.reader import CodebaseCache
from data.instances.instance import Environment, Instance
from sandbox.docker import DockerProvider, DockerSandbox
from sandbox.docker.images.made import Verdicts
from sandbox.local import LocalProvider
from sandbox.local.isolation import Isolation, best
from tests.sandbox.repository import FILES, LINKS, World, git
from tests.support.docker import docker_engine, python_image, require_docker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from sandbox.docker.engine import Engine

    Opener = Callable[[str], AbstractAsyncContextManager[World]]

__all__ = ["docker_engine", "python_image"]


class RecordingProvider(DockerProvider):
    """Remembers the images that were prepared for a test, which the session removes."""

    def __init__(
        self, cache: CodebaseCache, verdicts: Verdicts, prepared: set[str], *, warm: bool
    ) -> None:
        super().__init__(cache=cache, verdicts=verdicts, warm=warm)
        self._prepared = prepared

    async def open(
        self, instance: Instance, *, run: str, tell: Callable[[str], None] | None = None
    ) -> DockerSandbox:
        sandbox = await super().open(instance, run=run, tell=tell)
        name = sandbox.image_name
        if name.startswith(
            ("troop/prepared:", "troop/scrubbed:", "troop/compiled:", "troop/owned:")
        ):
            self._prepared.add(name)
        return sandbox


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, with a commit that no other session has."""
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
    git(folder, "commit", "-q", "-m", f"For {folder}, {secrets.token_hex(8)}")
    return folder


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what several tests may share: templates and codebases."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def prepared_images() -> Iterator[set[str]]:
    """The names of images that are removed at the end of the session."""
    names: set[str] = set()
    yield names
    if names:
        client = docker.from_env()
        for name in names:
            client.images.remove(name, force=True)
        client.close()


@pytest.fixture
def made(docker_engine: Engine) -> Iterator[list[str]]:
    """Containers to remove at the end."""
    containers: list[str] = []
    yield containers
    for container in containers:
        docker_engine.remove(container)


@pytest.fixture
def open_world(
    request: pytest.FixtureRequest,
    repository: Path,
    session_folder: Path,
    prepared_images: set[str],
) -> Opener:
    """Opens a world: "docker", "docker-cold" (a new container each), "local", or "bare".

    The last is local without namespaces.
    """

    @asynccontextmanager
    async def opened(kind: str) -> AsyncIterator[World]:
        image = None
        cache = CodebaseCache(session_folder / "codebases")
        provider: DockerProvider | LocalProvider
        if kind.startswith("docker"):
            require_docker()
            image = request.getfixturevalue("python_image")
            provider = RecordingProvider(
                cache,
                Verdicts(session_folder / "clean"),
                prepared_images,
                warm=kind == "docker",
            )
        else:
            if kind == "local" and best() is Isolation.NONE:
                pytest.skip("the kernel gives no namespaces")
            provider = LocalProvider(
                isolation=best() if kind == "local" else Isolation.NONE,
                folder=session_folder / "local",
                cache=cache,
            )
        environment = Environment(image=image, repo_dir="/testbed", source=repository)
        instance = Instance("own__repo-1", "own/repo", "HEAD", "It is wrong.", environment)
        run_id = f"test-{secrets.token_hex(8)}"
        async with provider:
            sandbox = await provider.open(instance, run=run_id)
            yield World(kind, sandbox, provider, instance, run_id, session_folder / "local")
            await sandbox.close()

    return opened


@pytest.fixture(
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("docker-cold", marks=pytest.mark.docker),
        "local",
    ]
)
async def world(request: pytest.FixtureRequest, open_world: Opener) -> AsyncIterator[World]:
    """Each kind of sandbox in turn."""
    async with open_world(request.param) as opened:
        yield opened


@pytest.fixture
async def docker_world(open_world: Opener) -> AsyncIterator[World]:
    """The Docker sandbox."""
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
