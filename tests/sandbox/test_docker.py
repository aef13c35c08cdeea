"""What only the Docker sandbox has: its walls, its labels, its images, its engine's failures."""

from __future__ import annotations

import asyncio
import os
import sys
import tarfile
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.codebase_reader import CodebaseCache
from data.errors import SandboxError, SandboxUnavailable, UsageError
from data.instance import Environment, Instance
from data.patch import UNEDITED, FileChange
from sandbox.docker import DockerProvider
from sandbox.docker.codebase import CodebaseSource
from sandbox.docker.containers import Containers
from sandbox.docker.engine import Engine
from sandbox.docker.failure import TransientEngineError
from sandbox.docker.labels import container_labels, reap_dead_owners
from sandbox.owner import this_process
from sandbox.protocol import Ending, Limits, Script
from sandbox.supervise import Stop
from tests.sandbox.processes import eventually, new_token, running, start_owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.sandbox.repository import World

pytestmark = pytest.mark.docker

DIRECT = Environment(repo_dir="/usr/local")
"""The image itself as the codebase, where no repository is needed."""


def instance(image: str, **fields: object) -> Instance:
    environment = replace(DIRECT, image=image, **fields)  # type: ignore[arg-type]
    return Instance("a__b-1", "a/b", "", "", environment)


@pytest.fixture
def made(docker_engine: Engine) -> Iterator[list[str]]:
    """Containers to remove at the end."""
    containers: list[str] = []
    yield containers
    for container in containers:
        docker_engine.remove(container)


def create(engine: Engine, image: str, labels: Mapping[str, str], made: list[str]) -> str:
    container = engine.create({"image": image, "command": ["true"], "labels": dict(labels)}, {})
    made.append(container)
    return container


# The walls


async def test_a_script_has_no_rights_left(docker_world: World) -> None:
    code = (
        "for line in open('/proc/self/status'):\n"
        "    if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:', 'Uid')):\n"
        "        print(*line.split())"
    )
    lines = (await docker_world.run(code)).output.splitlines()
    assert lines == [
        "Uid: 0 0 0 0",
        *(f"Cap{name}: {'0' * 16}" for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
        "NoNewPrivs: 1",
        "Seccomp: 2",
    ]


async def test_limits_as_the_engine_knows_them(docker_world: World, docker_engine: Engine) -> None:
    token = new_token()
    limits = {"memory_mb": 128, "processes": 50, "file_mb": 3, "cpus": 500.0}
    code = f"import os; os.execvp('sleep', ['sleep', {token!r}])"
    pending = asyncio.ensure_future(docker_world.run(code, **limits))
    await eventually(lambda: running(token) == 1)
    (found,) = docker_engine.labelled(f"troop.run={docker_world.run_id}")
    state = docker_engine._api.inspect_container(found.id)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    host = state["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["Memory"] == host["MemorySwap"] == 128 << 20
    assert 50 <= host["PidsLimit"] <= 60
    assert 0 < host["NanoCpus"] <= (os.cpu_count() or 1) * 10**9
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}["fsize"] == 3 << 20
    assert (host["LogConfig"]["Type"], host["IpcMode"], host["Init"]) == ("none", "private", True)
    me = this_process()
    assert found.labels.items() >= container_labels(me, docker_world.run_id, "own__repo-1").items()
    assert found.labels["troop.owner"] == f"{me.boot}:{os.getpid()}:{me.start}"
    assert docker_engine.labelled(f"troop.run={docker_world.run_id}") == []


async def test_a_child_out_of_memory_is_not_the_scripts_ending(docker_world: World) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.run([sys.executable, '-c', 'bytearray(1 << 30)'])\n"
        "print(child.returncode); sys.exit(2)"
    )
    execution = await docker_world.run(code, memory_mb=64)
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, 2)
    assert execution.output == "-9\n"


# Images


async def test_a_missing_image_says_how_to_get_it(docker_world: World) -> None:
    with pytest.raises(SandboxUnavailable) as caught:
        await docker_world.provider.open(instance("troop/no-such:1"), run="r")
    assert "docker pull troop/no-such:1" in caught.value.mend
    with pytest.raises(UsageError, match="names no Docker image"):
        await docker_world.provider.open(docker_world.changed(image=None), run="r")


async def test_an_image_removed_on_the_way(
    docker_world: World, docker_engine: Engine, python_image: str, made: list[str]
) -> None:
    container = create(docker_engine, python_image, {}, made)
    docker_engine.commit(container, "troop/test-gone:1", ["LABEL a=b"])
    sandbox = await docker_world.provider.open(instance("troop/test-gone:1"), run="r")
    docker_engine._api.remove_image("troop/test-gone:1")
    with pytest.raises(SandboxUnavailable, match="troop/test-gone:1") as caught:
        await sandbox.execute(Script("print(1)"), UNEDITED, Limits())
    assert "docker pull troop/test-gone:1" in caught.value.mend


async def test_an_images_own_ways_are_overridden(
    docker_world: World, docker_engine: Engine, python_image: str, made: list[str]
) -> None:
    name = f"troop/test-odd:{os.getpid()}"
    container = create(docker_engine, python_image, {}, made)
    changes = [
        'ENTRYPOINT ["/bin/bash"]',
        "USER nobody",
        "WORKDIR /nowhere",
        "ENV PYTHONPATH=/image/own:/usr/local OTHER=kept",
        "HEALTHCHECK CMD false",
    ]
    docker_engine.commit(container, name, changes)
    try:
        sandbox = await docker_world.provider.open(instance(name), run="r")
        code = "import os; print(os.getuid(), os.environ['PYTHONPATH'], os.environ['OTHER'])"
        execution = await sandbox.execute(Script(code), UNEDITED, Limits())
    finally:
        docker_engine._api.remove_image(name, force=True)
    assert execution.output == "0 /usr/local:/image/own kept\n"


async def test_what_an_image_lacks_has_to_be_mended(
    docker_world: World, docker_engine: Engine, python_image: str, tmp_path: Path
) -> None:
    sandbox = await docker_world.provider.open(
        instance(python_image, repo_dir="/no/such/folder"), run="r"
    )
    with pytest.raises(SandboxUnavailable, match="no folder /no/such/folder") as caught:
        await sandbox.execute(Script("print(1)"), UNEDITED, Limits())
    assert "repo_dir" in caught.value.mend
    with pytest.raises(SandboxUnavailable, match="no folder /no/such/folder"):
        await sandbox.read_codebase()
    name = f"troop/test-empty:{os.getpid()}"
    tarfile.open(tmp_path / "x.tar", "w").close()
    with (tmp_path / "x.tar").open("rb") as tar:
        docker_engine.import_image(tar, name, [])
    try:
        sandbox = await docker_world.provider.open(instance(name), run="r")
        with pytest.raises(SandboxUnavailable, match="/bin/sh"):
            await sandbox.execute(Script("print(1)"), UNEDITED, Limits())
    finally:
        docker_engine._api.remove_image(name)


# One's own repository


async def test_the_setup_runs_once_and_stays(docker_world: World, docker_engine: Engine) -> None:
    token = new_token()
    setup = f"echo {token} >/opt-made\npython -c 'print(1)' >made.txt\nenv | grep -c KEY || true"
    prepared = docker_world.changed(setup=setup)
    sandbox = await docker_world.provider.open(prepared, run="r")
    again = await docker_world.provider.open(prepared, run="r")
    code = "print(open('/opt-made').read(), open('made.txt').read(), open('README').read())"
    for each in (sandbox, again):
        execution = await each.execute(Script(code), UNEDITED, Limits())
        assert execution.output == f"{token}\n 1\n hello\n\n"
    codebase = await sandbox.read_codebase()
    assert "README" in codebase.files
    assert "made.txt" not in codebase.files
    name = sandbox._runner.image.name  # type: ignore[attr-defined]
    assert name == again._runner.image.name  # type: ignore[attr-defined]
    labels = docker_engine.image(name).labels
    assert (labels["troop"], labels["troop.kind"], labels["troop.owner"]) == (
        "image",
        "prepared",
        "",
    )


async def test_a_setup_that_fails_shows_its_output(
    docker_world: World, docker_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(docker_engine._api.images("troop/prepared"))
    with pytest.raises(UsageError, match="the reason") as caught:
        await docker_world.provider.open(
            docker_world.changed(setup="echo the reason; false; echo not reached"), run="r"
        )
    assert "not reached" not in caught.value.message
    assert "the reason" in caplog.text
    assert len(docker_engine._api.images("troop/prepared")) == before


async def test_the_commit_is_recorded_where_there_is_git(docker_world: World) -> None:
    code = (
        "import subprocess\n"
        "git = ['git', '-c', 'safe.directory=*']\n"
        "print(subprocess.check_output([*git, 'status', '--short'], text=True))\n"
        "print(subprocess.check_output([*git, 'log', '--oneline'], text=True).count(chr(10)))"
    )
    change = FileChange("README", b"changed\n")
    assert (await docker_world.run(code, change)).output == " M README\n\n1\n"


# The codebase


async def test_without_git_all_files_are_read(
    docker_world: World, docker_engine: Engine, python_image: str
) -> None:
    lone = "/etc"
    source = CodebaseSource(
        docker_engine, Containers(docker_engine), docker_engine.image(python_image), lone, {}
    )
    codebase = await asyncio.to_thread(source.read, Stop())
    assert {"passwd", "group", "nsswitch.conf"} <= set(codebase.files)


async def test_the_codebase_is_read_once(
    docker_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with DockerProvider(cache=CodebaseCache(tmp_path)) as provider:
        sandbox = await provider.open(docker_world.instance, run="r")
        first = await sandbox.read_codebase()
        monkeypatch.delattr(CodebaseSource, "read")
        again = await (await provider.open(docker_world.instance, run="r2")).read_codebase()
    assert again == first


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
    removed = reap_dead_owners(docker_engine, me)
    assert {name for name, made_id in ids.items() if made_id in removed} == {"dead", "earlier boot"}
    there = {item["Id"] for item in docker_engine._api.containers(all=True)}
    assert {name for name, made_id in ids.items() if made_id in there} == set(owners) - {
        "dead",
        "earlier boot",
    }


OWNER = """
import asyncio, sys
from data.instance import Environment, Instance
from data.patch import UNEDITED
from sandbox.docker import DockerProvider, oneshot
from sandbox.protocol import Limits, Script

oneshot._GRACE_S = 1

# The token is not an argument of this process itself.
token = sys.stdin.readline().strip()

async def main():
    async with DockerProvider() as provider:
        environment = Environment(image=sys.argv[1], repo_dir="/usr/local")
        sandbox = await provider.open(Instance("i", "r", "", "", environment), run=sys.argv[2])
        code = f"import os; os.execvp('sleep', ['sleep', '{token}'])"
        await sandbox.execute(Script(code), UNEDITED, Limits(timeout_s=3))

asyncio.run(main())
"""


async def test_a_killed_owner_leaves_nothing_for_long(
    docker_engine: Engine, python_image: str
) -> None:
    """The container ends by itself, and the next provider removes it."""
    token = new_token()
    run = f"killed-{token}"
    command = [sys.executable, "-c", textwrap.dedent(OWNER), python_image, run]
    owner = start_owner(command, token)
    try:
        await eventually(lambda: running(token) == 1 or owner.poll() is not None)
        assert owner.poll() is None
    finally:
        owner.kill()
        owner.wait()
    await eventually(lambda: running(token) == 0)
    assert len(docker_engine.labelled(f"troop.run={run}")) == 1
    async with DockerProvider():
        assert docker_engine.labelled(f"troop.run={run}") == []


# The engine's failures


class Flaky(Engine):
    """An engine whose start fails some times."""

    failures = 0

    def start(self, container: str) -> None:
        if self.failures:
            type(self).failures -= 1
            raise TransientEngineError("The Docker engine failed: made up")
        super().start(container)


@pytest.mark.parametrize(("failures", "runs"), [(0, True), (2, True), (3, False)])
async def test_a_passing_failure_is_tried_again(
    docker_engine: Engine, python_image: str, failures: int, runs: bool
) -> None:
    kind = type("FlakyNow", (Flaky,), {"failures": failures})
    async with DockerProvider(connect=lambda: kind(Engine.connect()._api)) as provider:
        sandbox = await provider.open(instance(python_image), run=f"flaky-{failures}")
        if runs:
            execution = await sandbox.execute(Script("print('ran')"), UNEDITED, Limits())
            assert execution.output == "ran\n"
        else:
            with pytest.raises(SandboxError, match="made up"):
                await sandbox.execute(Script("print('ran')"), UNEDITED, Limits())
        assert docker_engine.labelled(f"troop.run=flaky-{failures}") == []


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
    async with DockerProvider(connect=lambda: engine) as provider:
        sandbox = await provider.open(instance(python_image), run="clinging")
        execution = await sandbox.execute(Script("print('ran')"), UNEDITED, Limits())
        assert execution.output == "ran\n"
        assert len(docker_engine.labelled("troop.run=clinging")) == 1
        engine.clings = False
    assert docker_engine.labelled("troop.run=clinging") == []


async def test_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SandboxUnavailable, match="No Docker engine answers"):
        async with DockerProvider():
            pass


async def test_a_provider_opens_only_while_entered(docker_world: World) -> None:
    with pytest.raises(RuntimeError):
        await DockerProvider().open(docker_world.instance, run="r")
    assert "Docker 2" in docker_world.provider.describe()
