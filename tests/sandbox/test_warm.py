"""Warm containers: how long they live, what they cannot do, and what is done then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from data.patches.patch import UNEDITED, FileChange, Patch
from sandbox.docker import DockerProvider
from sandbox.docker.engine import Engine
from sandbox.docker.engine.failure import SettingsRefused
from sandbox.docker.warm.probe import why_not_warm
from sandbox.protocol import Ending, Limits, Script
from tests.sandbox.repository import create, in_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tests.sandbox.repository import World

pytestmark = pytest.mark.docker

LIMITS = Limits(timeout_s=20, memory_mb=256, disk_mb=64)
HELLO = Script("print('hello')")


@pytest.fixture
def made_image(
    docker_engine: Engine, python_image: str, made: list[str], request: pytest.FixtureRequest
) -> Iterator[str]:
    """The Python image with the changes that the test's parameter names."""
    name = f"troop/test-{request.node.name.partition('[')[0].replace('_', '-')[:60]}:1"
    container = create(docker_engine, python_image, {}, made)
    docker_engine.commit(container, name, request.param)
    yield name
    docker_engine._api.remove_image(name, force=True)


def containers_of(engine: Engine, world: World) -> list[str]:
    return [found.id for found in engine.stored_containers(f"troop.run={world.run_id}")]


# A container's life


async def test_one_container_serves_one_execution_after_the_other(
    docker_world: World, docker_engine: Engine
) -> None:
    await docker_world.run("pass")
    first = containers_of(docker_engine, docker_world)
    for number in range(3):
        change = FileChange("README", b"%d" % number)
        execution = await docker_world.run("print(open('README').read())", change)
        assert execution.output == f"{number}\n"
    assert containers_of(docker_engine, docker_world) == first
    assert len(first) == 1
    await asyncio.gather(*(docker_world.run("import time; time.sleep(0.5)") for _ in range(3)))
    assert len(containers_of(docker_engine, docker_world)) == 3
    await docker_world.sandbox.close()
    assert containers_of(docker_engine, docker_world) == []


async def test_a_container_that_went_away_is_replaced(
    docker_world: World, docker_engine: Engine
) -> None:
    await asyncio.gather(*(docker_world.run("import time; time.sleep(0.3)") for _ in range(4)))
    for container in containers_of(docker_engine, docker_world):
        docker_engine.remove(container)
    assert (await docker_world.run("print('on')")).output == "on\n"


async def test_after_a_limit_the_container_is_not_used_again(
    docker_world: World, docker_engine: Engine
) -> None:
    await docker_world.run("pass")
    (first,) = containers_of(docker_engine, docker_world)
    execution = await docker_world.run("while True: pass", timeout_s=0.5)
    assert execution.ending is Ending.TIMEOUT
    assert first not in containers_of(docker_engine, docker_world)


async def test_many_patches_and_few_kept(docker_world: World) -> None:
    for number in [*range(70), 0]:
        change = FileChange("pkg/ops.py", b"N = %d\n" % number)
        execution = await docker_world.run("import pkg.ops; print(pkg.ops.N)", change)
        assert execution.output == f"{number}\n"


async def test_scripts_of_other_kinds_leave_no_trace(docker_world: World) -> None:
    await docker_world.execute(Script("exit 0", interpreter="sh", suffix=".sh"))
    listing = await docker_world.run("import os; print(sorted(os.listdir('/troop')))")
    assert listing.output == "['launch.sh', 'script.py', 'start.py']\n"


async def test_a_port_is_free_again_at_once(docker_world: World) -> None:
    """A connection that was closed first by the server would hold it for a minute."""
    code = (
        "import socket\n"
        "server = socket.socket()\n"
        "server.bind(('127.0.0.1', 5000)); server.listen()\n"
        "client = socket.create_connection(('127.0.0.1', 5000))\n"
        "one, _ = server.accept()\n"
        "one.close(); client.recv(1); client.close()\n"
        "print('served')"
    )
    for _ in range(3):
        assert (await docker_world.run(code)).output == "served\n"


# The environment


@pytest.mark.parametrize(
    ("activate", "times"),
    [("source /testbed/bin/activate", 1), ("source /testbed/bin/activate; true", 3)],
)
async def test_what_only_sets_variables_is_entered_once(
    docker_world: World, activate: str, times: int
) -> None:
    """Other lines run each time."""
    setup = "mkdir -p bin; echo 'read -r MOMENT _ </proc/uptime; export MOMENT' >bin/activate"
    provider, run = docker_world.provider, docker_world.run_id
    image = (await provider.open(docker_world.changed(setup=setup), run=run)).image_name  # type: ignore[attr-defined]
    instance = in_image(image, repo_dir="/testbed", activate=activate)
    sandbox = await provider.open(instance, run=run)
    code = "import os, time; print(os.environ['MOMENT']); time.sleep(0.02)"
    moments = {(await sandbox.execute(Script(code), UNEDITED, LIMITS)).output for _ in range(3)}
    await sandbox.close()
    assert len(moments) == times


# What a patch can do to the supervisor


@pytest.mark.parametrize(
    "made_image", [["ENV PATH=/root/bin:/usr/bin:/bin:/usr/local/bin"]], indirect=True
)
async def test_programs_of_a_patch_never_run_with_rights(
    docker_world: World, made_image: str
) -> None:
    """Not even where the image looks for programs in the repository first."""
    names = ("setpriv", "sh", "mount", "chroot", "unshare", "mv", "mkdir", "rm", "printf")
    program = b"#!/bin/sh\necho hijacked; exit 0\n"
    patch = Patch.of("", tuple(FileChange(f"bin/{n}", program, executable=True) for n in names))
    instance = in_image(made_image, repo_dir="/root")
    sandbox = await docker_world.provider.open(instance, run=docker_world.run_id)
    code = (
        "import subprocess\n"
        "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('CapEff')])\n"
        "print(subprocess.check_output(['mount'], text=True))"
    )
    for _ in range(2):
        execution = await sandbox.execute(Script(code), patch, LIMITS)
        assert execution.output == "['0000000000000000']\nhijacked\n\n"
    await sandbox.close()


@pytest.mark.parametrize(
    ("repo_dir", "name"), [("/", "usr/bin/mount"), ("/usr", "bin/mount"), ("/etc", "mount")]
)
async def test_a_repository_among_the_systems_programs(
    docker_world: World,
    python_image: str,
    repo_dir: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A patch of them reaches nothing that has rights, so it is a repository like others."""
    sandbox = await docker_world.provider.open(
        in_image(python_image, repo_dir=repo_dir), run=docker_world.run_id
    )
    program = b"#!/bin/sh\necho hijacked; while read -r k v; do [ $k = CapEff: ] && echo $v; done"
    change = FileChange(name, program + b" </proc/self/status\n", executable=True)
    script = Script(f"import os; os.execl('{repo_dir}/{name}', 'mount')")
    for _ in range(3):
        execution = await sandbox.execute(script, Patch.of("", (change,)), LIMITS)
        assert execution.output == "hijacked\n0000000000000000\n"
    assert "takes longer" not in caplog.text
    await sandbox.close()


# Where it does not work


async def test_an_engine_on_another_processor_gets_a_container_each(
    python_image: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The supervisor is built for those that are common."""
    async with DockerProvider(connect=lambda: Exotic(Engine.connect()._api)) as provider:
        for _ in range(2):
            sandbox = await provider.open(in_image(python_image), run="exotic")
            assert (await sandbox.execute(HELLO, UNEDITED, LIMITS)).output == "hello\n"
    assert caplog.text.count("no supervisor for the engine's processor, riscv64") == 1


class Exotic(Engine):
    """An engine on a processor that we do not know."""

    def info(self) -> Mapping[str, Any]:
        return {**super().info(), "Architecture": "riscv64"}


class Strict(Engine):
    """An engine that gives nobody a capability, as a rootless or guarded one may."""

    asked = 0

    def create(self, settings: Mapping[str, Any], host: Mapping[str, Any]) -> str:
        if host.get("cap_add"):
            type(self).asked += 1
            raise SettingsRefused("The engine refuses the container's settings: made up")
        return super().create(settings, host)


async def test_an_engine_that_refuses_is_asked_once(
    python_image: str, caplog: pytest.LogCaptureFixture
) -> None:
    Strict.asked = 0
    async with DockerProvider(connect=lambda: Strict(Engine.connect()._api)) as provider:
        for _ in range(2):
            sandbox = await provider.open(in_image(python_image), run="strict")
            assert (await sandbox.execute(HELLO, UNEDITED, LIMITS)).output == "hello\n"
    assert Strict.asked == 1
    assert caplog.text.count("takes longer") == 1


def test_the_probe(docker_engine: Engine, python_image: str) -> None:
    assert why_not_warm(docker_engine, python_image) == ""
    strict = Strict(Engine.connect()._api)
    assert "made up" in why_not_warm(strict, python_image)
    strict.close()
    assert docker_engine.stored_containers("troop.run=probe") == []
