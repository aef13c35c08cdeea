"""What only the Docker sandbox has: its walls and its images."""

from __future__ import annotations

import asyncio
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from data.codebases.reader import CodebaseCache
from data.errors import SandboxUnavailable, UsageError
from data.instances.instance import Environment
from data.patches.patch import UNEDITED, FileChange
from sandbox.docker import DockerProvider
from sandbox.docker.codebase import CodebaseSource
from sandbox.docker.containers import Containers
from sandbox.docker.containers.ground import Ground
from sandbox.docker.containers.settings import Machine
from sandbox.docker.engine.labels import container_labels
from sandbox.owner import this_process
from sandbox.protocol import Ending, Limits, Script
from sandbox.supervise import Stop
from tests.sandbox.processes import new_token, running
from tests.sandbox.repository import create, in_image
from tests.support.waiting import eventually_async

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.docker.engine import Engine
    from tests.sandbox.repository import World

pytestmark = pytest.mark.docker

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
    await eventually_async(lambda: running(token) == 1)
    (found,) = docker_engine.stored_containers(f"troop.run={docker_world.run_id}")
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
    assert (host["LogConfig"]["Type"], host["IpcMode"]) == ("none", "private")
    assert (host["AutoRemove"], host["Privileged"], host["Binds"]) == (True, False, None)
    assert any(option.startswith("seccomp={") for option in host["SecurityOpt"])
    me = this_process()
    assert found.labels.items() >= container_labels(me, docker_world.run_id, "own__repo-1").items()
    assert found.labels["troop.owner"] == f"{me.boot}:{os.getpid()}:{me.start}"
    assert docker_engine.stored_containers(f"troop.run={docker_world.run_id}") == []


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
        await docker_world.provider.open(in_image("troop/no-such:1"), run="r")
    assert "docker pull troop/no-such:1" in caught.value.hint
    with pytest.raises(UsageError, match="names no Docker image"):
        await docker_world.provider.open(docker_world.changed(image=None), run="r")


async def test_an_image_removed_on_the_way(
    docker_world: World, docker_engine: Engine, python_image: str, made: list[str]
) -> None:
    container = create(docker_engine, python_image, {}, made)
    docker_engine.commit(container, "troop/test-gone:1", ["LABEL a=b"])
    sandbox = await docker_world.provider.open(in_image("troop/test-gone:1"), run="r")
    docker_engine._api.remove_image("troop/test-gone:1")
    with pytest.raises(SandboxUnavailable, match="troop/test-gone:1") as caught:
        await sandbox.execute(Script("print(1)"), UNEDITED, Limits())
    assert "docker pull troop/test-gone:1" in caught.value.hint


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
        sandbox = await docker_world.provider.open(in_image(name), run="r")
        code = "import os; print(os.getuid(), os.environ['PYTHONPATH'], os.environ['OTHER'])"
        execution = await sandbox.execute(Script(code), UNEDITED, Limits())
    finally:
        docker_engine._api.remove_image(name, force=True)
    assert execution.output == "0 /usr/local:/image/own kept\n"


async def test_what_an_image_lacks_has_to_be_mended(
    docker_world: World, docker_engine: Engine, python_image: str, tmp_path: Path
) -> None:
    sandbox = await docker_world.provider.open(
        in_image(python_image, repo_dir="/no/such/folder"), run="r"
    )
    with pytest.raises(SandboxUnavailable, match="no folder /no/such/folder") as caught:
        await sandbox.execute(Script("print(1)"), UNEDITED, Limits())
    assert "repo_dir" in caught.value.hint
    with pytest.raises(SandboxUnavailable, match="no folder /no/such/folder"):
        await sandbox.read_codebase()
    name = f"troop/test-empty:{os.getpid()}"
    tarfile.open(tmp_path / "x.tar", "w").close()
    with (tmp_path / "x.tar").open("rb") as tar:
        docker_engine.import_image(tar, name, [])
    try:
        with pytest.raises(SandboxUnavailable, match="/bin/sh"):
            await docker_world.provider.open(in_image(name), run="r")
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
    name = sandbox.image_name
    assert name == again.image_name
    labels = docker_engine.image(name).labels
    assert (labels["troop"], labels["troop.kind"], labels["troop.owner"]) == (
        "image",
        "prepared",
        "",
    )


async def test_a_setup_that_fails_shows_its_output(
    docker_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Each time: what failed is not kept."""
    setup = "echo the reason; false; echo not reached"
    for _ in range(2):
        caplog.clear()
        with pytest.raises(UsageError, match="the reason") as caught:
            await docker_world.provider.open(docker_world.changed(setup=setup), run="r")
        assert "not reached" not in caught.value.message
        assert "the reason" in caplog.text


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
    ground = Ground(
        docker_engine,
        Machine.of(docker_engine),
        Containers(docker_engine),
        docker_engine.image(python_image),
        Environment(repo_dir="/etc"),
        {},
    )
    source = CodebaseSource(ground)
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
