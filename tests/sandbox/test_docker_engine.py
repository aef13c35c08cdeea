"""What a Docker engine is left with: containers of dead owners, failures on the way."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError, SandboxUnavailable
from data.patches.patch import UNEDITED
from sandbox.docker import DockerProvider
from sandbox.docker.engine import Engine
from sandbox.docker.engine.failure import TransientEngineError
from sandbox.docker.engine.labels import container_labels, reap_dead_owners
from sandbox.owner import this_process
from sandbox.protocol import Limits, Script
from tests.sandbox.processes import new_token, running, start_owner
from tests.sandbox.repository import create, in_image
from tests.support.waiting import eventually_async

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.repository import World

pytestmark = pytest.mark.docker

# Owners


async def test_only_dead_owners_lose_their_containers(
    docker_engine: Engine, python_image: str, made: list[str]
) -> None:
    me = this_process()
    dead = replace(me, start="1")
    owners = {
        "dead": container_labels(dead, "r", "i"),
        "earlier boot": container_labels(replace(me, boot="another-boot"), "r", "i"),
        "living": container_labels(me, "r", "i"),
        "other host": container_labels(replace(me, host="other", boot="b"), "r", "i"),
        "other namespace": container_labels(replace(me, namespace="7", start="1"), "r", "i"),
        "not ours": {"troop.owner": str(dead), "troop.place": dead.place},
        "ours no more": container_labels(dead, "r", "i") | {"troop": "0"},
        "no owner": {"troop": "1", "troop.owner": "", "troop.place": ""},
        "nobody's": {},
    }
    ids = {name: create(docker_engine, python_image, each, made) for name, each in owners.items()}
    removed = set(reap_dead_owners(docker_engine, me))
    gone = {"dead", "earlier boot"}
    # Another Troop that starts at this moment, in another test say, may have been faster.
    assert removed & set(ids.values()) <= {ids[name] for name in gone}

    def there() -> set[str]:
        found = {item["Id"] for item in docker_engine._api.containers(all=True)}
        return {name for name, made_id in ids.items() if made_id in found}

    await eventually_async(lambda: there() == set(owners) - gone)


OWNER = """
import asyncio, sys
from data.instances.instance import Environment, Instance
from data.patches.patch import UNEDITED
from sandbox.docker import DockerProvider, oneshot
from sandbox.docker.warm import container
from sandbox.protocol import Limits, Script

oneshot._GRACE_S = container.GUARD_S = 1

# The token is not an argument of this process itself.
token = sys.stdin.readline().strip()

async def main():
    async with DockerProvider(warm=sys.argv[3] == "warm") as provider:
        environment = Environment(image=sys.argv[1], repo_dir="/usr/local")
        sandbox = await provider.open(Instance("i", "r", "", "", environment), run=sys.argv[2])
        code = f"import os; os.execvp('sleep', ['sleep', '{token}'])"
        await sandbox.execute(Script(code), UNEDITED, Limits(timeout_s=3))

asyncio.run(main())
"""


@pytest.mark.parametrize("way", ["warm", "cold"])
async def test_a_killed_owner_leaves_nothing_for_long(
    docker_engine: Engine, python_image: str, way: str
) -> None:
    """The container ends by itself, and the next provider removes it."""
    token = new_token()
    run = f"killed-{token}"
    command = [sys.executable, "-c", textwrap.dedent(OWNER), python_image, run, way]
    owner = start_owner(command, token)
    try:
        await eventually_async(lambda: running(token) == 1 or owner.poll() is not None)
        assert owner.poll() is None
    finally:
        owner.kill()
        owner.wait()
    await eventually_async(lambda: running(token) == 0)
    async with DockerProvider():
        assert docker_engine.stored_containers(f"troop.run={run}") == []


# The engine's failures


class Flaky(Engine):
    """An engine whose start fails some times."""

    failures = 0

    def start(self, container: str) -> None:
        if self.failures:
            type(self).failures -= 1
            raise TransientEngineError("The Docker engine failed: made up")
        super().start(container)


@pytest.mark.parametrize(
    ("failures", "runs", "warm"),
    [(0, True, True), (2, True, True), (3, True, False), (6, False, False)],
)
async def test_a_passing_failure_is_tried_again(
    docker_engine: Engine, python_image: str, failures: int, runs: bool, warm: bool
) -> None:
    """Where no warm container ever started, a new one for each script has its tries too."""
    kind = type("FlakyNow", (Flaky,), {"failures": failures})
    async with DockerProvider(connect=lambda: kind(Engine.connect()._api)) as provider:
        sandbox = await provider.open(in_image(python_image), run=f"flaky-{failures}")
        if runs:
            execution = await sandbox.execute(Script("print('ran')"), UNEDITED, Limits())
            assert execution.output == "ran\n"
            assert (
                len(docker_engine.stored_containers(f"troop.run=flaky-{failures}")) == 1
            ) is warm
        else:
            with pytest.raises(SandboxError, match="made up"):
                await sandbox.execute(Script("print('ran')"), UNEDITED, Limits())
        await sandbox.close()
        assert docker_engine.stored_containers(f"troop.run=flaky-{failures}") == []


async def test_what_could_not_be_removed_goes_at_the_end(
    docker_engine: Engine, python_image: str
) -> None:
    class Clinging(Engine):
        clings = True

        def remove(self, container: str) -> None:
            if self.clings:
                raise SandboxError("not now")
            super().remove(container)

    engine = Clinging(Engine.connect()._api)
    async with DockerProvider(connect=lambda: engine, warm=False) as provider:
        sandbox = await provider.open(in_image(python_image), run="clinging")
        execution = await sandbox.execute(Script("print('ran')"), UNEDITED, Limits())
        assert execution.output == "ran\n"
        assert len(docker_engine.stored_containers("troop.run=clinging")) == 1
        engine.clings = False
    assert docker_engine.stored_containers("troop.run=clinging") == []


async def test_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SandboxUnavailable, match="No Docker engine answers"):
        async with DockerProvider():
            pass


async def test_a_provider_opens_only_while_entered(docker_world: World) -> None:
    with pytest.raises(RuntimeError):
        await DockerProvider().open(docker_world.instance, run="r")
    assert "Docker 2" in docker_world.provider.describe()


# Images that cannot be pulled


@pytest.mark.parametrize(
    ("own", "ways"),
    [(True, ("--image NAME", "--sandbox local")), (False, ("docker load", "troop data check"))],
)
async def test_a_registry_that_cannot_be_reached_is_asked_once_and_ways_out_are_named(
    docker_engine: Engine, repository: Path, own: bool, ways: tuple[str, ...]
) -> None:
    told: list[str] = []
    instance = in_image("127.0.0.1:1/a/b:c", source=repository if own else None)
    instance = replace(instance, base_commit="HEAD")
    async with DockerProvider() as provider:
        with pytest.raises(SandboxUnavailable, match="cannot be reached") as caught:
            await provider.open(instance, run="r", tell=told.append)
    assert not any("trying again" in each for each in told)
    assert all(way in caught.value.hint for way in ways)
    assert "network and proxy" in caught.value.hint
