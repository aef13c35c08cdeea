"""Setups are strangers too: what they can reach while they run, and that they can install."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.patches.patch import UNEDITED
from sandbox.docker.engine.labels import container_labels, reap_dead_owners
from sandbox.owner import this_process
from sandbox.protocol import Limits, Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.docker.engine import Engine
    from tests.sandbox.repository import World

pytestmark = pytest.mark.docker

_RIGHTS = {
    "CapEff": 0xFB,  # CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID
    "CapBnd": 0xFB,
    "CapAmb": 0,
    "NoNewPrivs": 1,
    "Seccomp": 2,
}


async def _after(world: World, setup: str, file: str) -> str:
    """What a setup, which is run once more, left in a file."""
    instance = world.changed(setup=f"{setup}\n: {time.monotonic_ns()}")
    sandbox = await world.provider.open(instance, run=world.run_id)
    script = Script(f"print(open({file!r}).read())")
    execution = await sandbox.execute(script, UNEDITED, Limits())
    await sandbox.close()
    return execution.output


async def test_a_setup_has_the_rights_to_install_and_no_others(docker_world: World) -> None:
    said = await _after(docker_world, "cat /proc/self/status >/tmp/status", "/tmp/status")
    fields = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    found = {key: int(fields[key], 16) for key in _RIGHTS}
    assert found == _RIGHTS


async def test_a_setup_can_do_what_installers_do(docker_world: World) -> None:
    """Others' files, other users, programs that carry a user's rights, bad permissions."""
    setup = """python - <<'END' >/tmp/did
import errno, os, signal, socket, subprocess
os.makedirs("/opt/a"); os.chown("/opt/a", 1000, 1000); os.chmod("/opt/a", 0o700)
open("/opt/a/carrier", "w").close(); os.chown("/opt/a/carrier", 0, 42)
os.chmod("/opt/a/carrier", 0o6755); os.chmod("/opt/a", 0o000)
print(oct(os.stat("/opt/a/carrier").st_mode), os.listdir("/opt/a"))
server = subprocess.Popen(["sleep", "100"], user=1000, group=1000, extra_groups=[4])
os.kill(server.pid, signal.SIGTERM); print(server.wait())
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)  # groupadd wants to write to the audit log
except OSError as error:
    print(errno.errorcode[error.errno])
END"""
    said = await _after(docker_world, setup, "/tmp/did")
    assert said == "0o106755 ['carrier']\n-15\nEPROTONOSUPPORT\n\n"


async def test_a_setup_cannot_reach_the_kernel(docker_world: World) -> None:
    """What a hostile package tries in its installation."""
    setup = """python - <<'END' >/tmp/did
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.makedirs("/mnt/x", exist_ok=True)
tries = {
    "mount": lambda: libc.mount(b"none", b"/mnt/x", b"tmpfs", 0, None),
    "cgroup": lambda: libc.mount(b"none", b"/mnt/x", b"cgroup", 0, b"freezer"),
    "user namespace": lambda: libc.unshare(0x10000000),
    "mount namespace": lambda: libc.unshare(0x00020000),
    "key": lambda: libc.syscall(250, 0, -3, 1),
    "bpf": lambda: libc.syscall(321, 0, None, 0),
    "device": lambda: libc.mknod(b"/mnt/disk", 0o60600, 254 << 8),
    "raw packets": lambda: libc.socket(17, 3, 768),
    "raw internet": lambda: libc.socket(2, 3, 1),
    "chroot": lambda: libc.chroot(b"/mnt"),
    "name": lambda: libc.sethostname(b"x", 1),
}
print([name for name, action in tries.items() if action() >= 0])
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
             "/proc/sys/vm/drop_caches"):
    try:
        os.close(os.open(path, os.O_WRONLY)); print(path)
    except OSError:
        pass
END"""
    assert await _after(docker_world, setup, "/tmp/did") == "[]\n\n"


@pytest.fixture
def neighbour(docker_engine: Engine, python_image: str) -> Iterator[tuple[str, int]]:
    """The address of a server in a container of somebody else's, in the engine's own network."""
    settings = {
        "image": python_image,
        "entrypoint": ["python3", "-m", "http.server", "8123"],
        "command": [],
    }
    container = docker_engine.create(settings, {"network_mode": "bridge"})
    try:
        docker_engine.start(container)
        network = docker_engine._api.inspect_container(container)["NetworkSettings"]
        address = network["Networks"]["bridge"]["IPAddress"]
        if not address:
            pytest.skip("the engine has no network")
        yield address, 8123
    finally:
        docker_engine.remove(container)


async def test_a_setup_reaches_no_other_container(
    docker_world: World, docker_engine: Engine, python_image: str, neighbour: tuple[str, int]
) -> None:
    probe = f"""import socket, time
for _ in range(20):
    try:
        socket.create_connection({neighbour!r}, 1).close(); print("reached"); break
    except OSError as error:
        print(type(error).__name__); time.sleep(0.1)"""
    # A control: in the network of the other container, the probe reaches it.
    control = docker_engine.create(
        {"image": python_image, "entrypoint": ["python3", "-c", probe], "command": []},
        {"network_mode": "bridge"},
    )
    try:
        with contextlib.closing(docker_engine.attach(control)) as output:
            docker_engine.start(control)
            assert b"reached" in b"".join(data for _, data in output.frames())
    finally:
        docker_engine.remove(control)
    once = probe.replace("range(20)", "range(2)")
    said = await _after(docker_world, f"python - <<'END' >/tmp/did\n{once}\nEND", "/tmp/did")
    assert "reached" not in said
    assert "Error" in said


def _networks(engine: Engine, world: World) -> list[str]:
    return [found.name for found in engine.stored_networks(f"troop.run={world.run_id}")]


async def test_a_setup_has_a_network_of_its_own_which_is_removed(
    docker_world: World, docker_engine: Engine
) -> None:
    with pytest.raises(UsageError):
        await _after(docker_world, "exit 3", "/x")
    assert _networks(docker_engine, docker_world) == []
    said = await _after(docker_world, "cat /proc/net/route >/tmp/routes", "/tmp/routes")
    assert "00000000" in said  # a way out
    assert _networks(docker_engine, docker_world) == []


async def test_a_network_of_a_dead_owner_is_removed(
    docker_world: World, docker_engine: Engine
) -> None:
    me = this_process()
    dead = f"{str(me).split(':')[0]}:{2**22 + 7}:1"
    labels = container_labels(me, docker_world.run_id, "x")
    docker_engine.create_network(f"{docker_world.run_id}-mine", labels)
    docker_engine.create_network(f"{docker_world.run_id}-dead", labels | {"troop.owner": dead})
    reap_dead_owners(docker_engine, me)
    (mine,) = docker_engine.stored_networks(f"troop.run={docker_world.run_id}")
    assert mine.name.endswith("-mine")
    assert abs(mine.created - time.time()) < 600
    assert docker_engine.remove_network(mine.id)
    assert not docker_engine.remove_network(mine.id)
