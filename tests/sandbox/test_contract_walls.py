"""What every sandbox keeps of walls and limits: each test runs against each kind."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from sandbox.protocol import Ending
from tests.sandbox.processes import SLEEP, new_token, running
from tests.support.waiting import eventually_async

if TYPE_CHECKING:
    from tests.sandbox.repository import World

# Isolation


async def test_nothing_survives_an_execution(world: World) -> None:
    elsewhere = (
        "import os\n"
        "folders = ['/tmp', '/var/tmp', '/dev/shm', os.path.expanduser('~')]\n"
        "paths = [folder + '/left' for folder in folders]\n"
    )
    dirty = (
        f"{elsewhere}"
        "for path in ['new.txt', 'README', *paths]:\n"
        "    open(path, 'w').write('dirt')\n"
        "os.remove('pkg/ops.py')"
    )
    look = (
        f"{elsewhere}"
        "print(sorted(os.listdir('.')), [path for path in paths if os.path.exists(path)])\n"
        "print(open('README').read().strip(), os.path.exists('pkg/ops.py'))"
    )
    before = await world.run(look)
    assert (await world.run(dirty)).exit_code == 0
    after = await world.run(look)
    assert after.output == before.output
    assert after.output.endswith("[]\nhello True\n")


async def test_there_is_no_network(world: World) -> None:
    addresses = {"127.0.0.1", "172.17.0.1", *_own_addresses()}
    with socket.create_server(("", 0)) as server:
        code = (
            "import socket\n"
            "print([name for _, name in socket.if_nameindex()][:1])\n"
            f"for host in {sorted(addresses)}:\n"
            "    try:\n"
            f"        socket.create_connection((host, {server.getsockname()[1]}), 1)\n"
            "        print('reached', host)\n"
            "    except OSError:\n"
            "        pass\n"
            "own = socket.create_server(('127.0.0.1', 0))\n"
            "socket.create_connection(own.getsockname(), 5)\n"
            "print('loopback', socket.gethostbyname(socket.gethostname()))"
        )
        execution = await world.run(code)
    assert execution.output == "['lo']\nloopback 127.0.0.1\n"


def _own_addresses() -> set[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return set()
        return {probe.getsockname()[0]}


async def test_the_hosts_environment_is_not_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    code = (
        "import os, glob\n"
        "print(sorted(k for k in os.environ if 'KEY' in k or 'TOKEN' in k))\n"
        "found = 0\n"
        "for path in glob.glob('/proc/*/environ'):\n"
        "    try:\n"
        "        found += b'sk-very' b'-secret' in open(path, 'rb').read()\n"
        "    except OSError:\n"
        "        pass\n"
        "names = ('PYTHONHASHSEED', 'PYTHONUNBUFFERED', 'PYTHONPATH')\n"
        "print(found, *map(os.environ.get, names))"
    )
    assert (await world.run(code)).output == "[]\n0 0 1 /testbed\n"


async def test_concurrent_executions_do_not_see_each_other(world: World) -> None:
    code = (
        "import os, time\n"
        "open('/tmp/mine-{0}', 'w').close(); open('mine-{0}', 'w').close()\n"
        "time.sleep(1)\n"
        "seen = [n for d in ('/tmp', '.') for n in os.listdir(d) if n.startswith('mine-')]\n"
        "scripts = 0\n"
        "for pid in filter(str.isdecimal, os.listdir('/proc')):\n"
        "    try:\n"
        "        scripts += b'/troop/script.py' in open('/proc/' + pid + '/cmdline', 'rb').read()\n"
        "    except OSError:\n"
        "        pass\n"
        "print(seen, scripts)"
    )
    executions = await asyncio.gather(*(world.run(code.format(n)) for n in range(8)))
    for number, execution in enumerate(executions):
        assert execution.output == f"['mine-{number}', 'mine-{number}'] 1\n"


async def test_a_script_has_no_stranger_among_its_children(world: World) -> None:
    code = "import os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    print('none')"
    assert (await world.run(code, timeout_s=20)).output == "none\n"


# Limits


async def test_a_timeout_ends_the_whole_tree(world: World) -> None:
    token = new_token()
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('begun', flush=True)\n"
        "def daemon(levels):\n"
        "    if os.fork():\n"
        "        return\n"
        "    os.setsid()\n"
        "    if levels:\n"
        "        daemon(levels - 1)\n"
        "        os._exit(0)\n"
        "    for fd in range(3):\n"
        "        os.close(fd)\n"
        f"    os.execvp('sleep', ['sleep', {token!r}])\n"
        "daemon(1)\n"
        "daemon(3)\n"
        "if os.fork() == 0:\n"
        f"    os.execvp('sleep', ['sleep', {token!r}])\n"
        "while True:\n"
        "    time.sleep(1)"
    )
    pending = asyncio.ensure_future(world.run(code, timeout_s=3))
    await eventually_async(lambda: running(token) == 3 or pending.done())
    execution = await pending
    assert (execution.ending, execution.exit_code) == (Ending.TIMEOUT, None)
    assert execution.output == "begun\n"
    assert execution.duration_s >= 3
    await eventually_async(lambda: running(token) == 0)


async def test_what_a_script_leaves_running_ends_with_it(world: World) -> None:
    token = new_token()
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        f"    os.execvp('sleep', ['sleep', {token!r}])\n"
        "time.sleep(0.5)\n"
        "print('done')"
    )
    execution = await world.run(code)
    assert (execution.exit_code, execution.output) == (0, "done\n")
    await eventually_async(lambda: running(token) == 0)


async def test_a_memory_bomb_ends_and_never_passes(world: World) -> None:
    execution = await world.run("x = bytearray(4 << 30); print(len(x))", memory_mb=256)
    if world.kind != "local":
        assert (execution.ending, execution.exit_code) == (Ending.OUT_OF_MEMORY, None)
    else:  # the address space is limited, so the script sees an error of its own
        assert (execution.ending, execution.exit_code) == (Ending.EXITED, 1)
        assert "MemoryError" in execution.output


async def test_a_fork_bomb_is_contained(world: World) -> None:
    code = (
        "import os, time\n"
        "made = 0\n"
        "try:\n"
        "    while made < 500:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(60)\n"
        "            os._exit(0)\n"
        "        made += 1\n"
        "except OSError:\n"
        "    pass\n"
        "print(made)"
    )
    execution = await world.run(code, processes=40)
    assert execution.ending is Ending.EXITED
    assert 30 <= int(execution.output) <= 45


async def test_a_disk_bomb_is_stopped(world: World) -> None:
    code = (
        "import time\n"
        "for number in range(8):\n"
        "    with open(f'/tmp/{number}', 'wb') as file:\n"
        "        file.write(bytes(10 << 20))\n"
        "print('written', flush=True)\n"
        "time.sleep(60)"
    )
    execution = await world.run(code, disk_mb=40)
    assert (execution.ending, execution.exit_code) == (Ending.DISK_EXCEEDED, None)
    if world.kind != "docker":  # there the disk is as small as that, and the script sees an error
        assert execution.output == "written\n"


async def test_one_file_is_limited(world: World) -> None:
    code = (
        "try:\n"
        "    with open('/tmp/big', 'wb') as file:\n"
        "        file.write(bytes(4 << 20))\n"
        "except OSError as error:\n"
        "    print(error.strerror)"
    )
    assert (await world.run(code, file_mb=2)).output == "File too large\n"


# Cancellation


async def test_a_cancelled_execution_leaves_nothing(world: World) -> None:
    token = new_token()
    pending = asyncio.ensure_future(world.run(SLEEP.format(token)))
    await eventually_async(lambda: running(token) == 1)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    assert running(token) == 0
    assert (await world.run("print('on')")).output == "on\n"


async def test_cancelled_at_any_moment_it_leaves_nothing(world: World) -> None:
    token = new_token()
    for moment in (0.0, 0.02, 0.08, 0.2):
        pending = asyncio.ensure_future(world.run(SLEEP.format(token)))
        await asyncio.sleep(moment)
        pending.cancel()
        await asyncio.sleep(0)
        pending.cancel()  # an impatient caller changes nothing
        with pytest.raises(asyncio.CancelledError):
            await pending
        assert running(token) == 0
