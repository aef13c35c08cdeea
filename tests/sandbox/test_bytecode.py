"""Compiled once: what executions import of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.patches.patch import UNEDITED, FileChange, Patch
from sandbox.protocol import Limits, Script
from tests.sandbox.repository import in_image

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.repository import World

pytestmark = pytest.mark.docker

LIMITS = Limits(timeout_s=20, memory_mb=256, disk_mb=64)
LOOK = Script(
    "import importlib.util, os, subprocess\n"
    "import pkg.ops\n"
    "cached = importlib.util.cache_from_source(pkg.ops.__file__)\n"
    "status = subprocess.run(['git', '-c', 'safe.directory=*', 'status', '--short'],\n"
    "                        capture_output=True, text=True).stdout\n"
    "print(pkg.ops.two(), os.path.exists(cached), status)"
)


async def test_the_repository_of_an_image_is_compiled_once(
    world_image: str, docker_world: World
) -> None:
    names = set()
    for _ in range(2):
        sandbox = await docker_world.provider.open(
            in_image(world_image, repo_dir="/testbed"), run="r"
        )
        names.add(sandbox.image_name)  # type: ignore[attr-defined]
        assert (await sandbox.execute(LOOK, UNEDITED, LIMITS)).output == "3 True \n"
        # As long as before, so that only its time tells it from what was compiled.
        patch = Patch.of("", (FileChange("pkg/ops.py", b"def two():\n    return 4\n"),))
        edited = await sandbox.execute(LOOK, patch, LIMITS)
        assert edited.output == "4 True  M pkg/ops.py\n\n"
        await sandbox.close()
    (name,) = names
    assert name.startswith("troop/compiled:")


async def test_where_there_is_nothing_to_compile_the_image_stays(
    docker_world: World, python_image: str
) -> None:
    for _ in range(2):
        sandbox = await docker_world.provider.open(in_image(python_image, repo_dir="/etc"), run="r")
        assert sandbox.image_name == python_image  # type: ignore[attr-defined]
        await sandbox.close()


async def test_ones_own_repository_is_compiled_with_its_setup(docker_world: World) -> None:
    assert (await docker_world.execute(LOOK)).output == "3 True \n"


@pytest.fixture
async def world_image(docker_world: World) -> AsyncIterator[str]:
    """An image that holds the repository, as benchmarks have them: the bytecode is not in it."""
    name = "troop/test-holds-the-repository:1"
    engine = docker_world.provider._connection.engine  # type: ignore[attr-defined]
    image = docker_world.sandbox.image_name  # type: ignore[attr-defined]
    command = ["/bin/sh", "-c", "rm -rf /testbed/pkg/__pycache__ /testbed/.git/info"]
    container = engine.create({"image": image, "entrypoint": command, "labels": {}}, {})
    try:
        engine.start(container)
        engine.wait(container, 30)
        engine.commit(container, name, ["LABEL troop=", "LABEL troop.kind="])
    finally:
        engine.remove(container)
    yield name
    engine.remove_image(name)
