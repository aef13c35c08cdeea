"""What every sandbox keeps: each test runs against each kind."""

from __future__ import annotations

import asyncio
import secrets
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError, SandboxUnavailable, UsageError
from data.patch import FileChange, Patch
from sandbox.protocol import Ending, Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import World

SLEEP = "import os; os.execvp('sleep', ['sleep', {!r}])"


def running(token: str) -> int:
    """How many processes of this machine, containers included, have `token` as an argument."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            count += token.encode() in words
    return count


async def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        await asyncio.sleep(0.05)


def new_token() -> str:
    """A number of seconds to sleep that no other process has as its argument."""
    return f"4217.{secrets.randbelow(10**9):09}"


def start_owner(command: list[str], token: str) -> subprocess.Popen[str]:
    """A process that is told `token` on its standard input."""
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert owner.stdin
    owner.stdin.write(token + "\n")
    owner.stdin.close()
    return owner


# How a script ends


@pytest.mark.parametrize("code", [0, 1, 2, 77])
async def test_exit_codes_are_the_scripts_own(world: World, code: int) -> None:
    execution = await world.run(f"import sys; print('out'); sys.exit({code})")
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, code)
    assert execution.output == "out\n"
    assert execution.passed is (code == 0)
    assert 0 <= execution.duration_s < 60


@pytest.mark.parametrize("number", [6, 9, 15])
async def test_a_signal_is_128_and_its_number(world: World, number: int) -> None:
    execution = await world.run(f"import os; os.kill(os.getpid(), {number})")
    assert (execution.ending, execution.exit_code) == (Ending.EXITED, 128 + number)


async def test_a_traceback_names_the_same_paths_every_time(world: World) -> None:
    code = "import pkg.ops\npkg.ops.nothing"
    outputs = {(await world.run(code)).output for _ in range(2)}
    assert len(outputs) == 1
    assert "script.py" in outputs.pop()
    shown = await world.run("import pkg.ops, os; print(pkg.ops.__file__, os.getcwd())")
    assert shown.output == "/testbed/pkg/ops.py /testbed\n"


async def test_other_interpreters_and_suffixes(world: World) -> None:
    execution = await world.execute(Script('echo "$0"; exit 5', interpreter="sh", suffix=".sh"))
    assert (execution.exit_code, execution.output) == (5, "/troop/script.sh\n")
    execution = await world.execute(
        Script("import sys; print(sys.flags.dev_mode)", "python -X dev")
    )
    assert execution.output == "True\n"


# Output


async def test_both_streams_come_in_their_order(world: World) -> None:
    code = "import sys\nfor i in range(50):\n    print('out', i); print('err', i, file=sys.stderr)"
    expected = "".join(f"out {i}\nerr {i}\n" for i in range(50))
    assert (await world.run(code)).output == expected


async def test_output_is_valid_and_harmless_text(world: World) -> None:
    code = r"import os; os.write(1, b'a\xff\xc3\xa4\x1b[2J\r\nb\x00\x07c\td\x7f' + b'\xc2\x85')"
    execution = await world.run(code)
    assert execution.output == "a\ufffdä\\x1b[2J\nb\\x00\\x07c\td\\x7f\\x85"


async def test_output_is_bounded_in_the_middle(world: World) -> None:
    code = "print('begin' + 'x' * 100_000 + 'end', end='')"
    execution = await world.run(code, output_chars=1000)
    assert execution.output.startswith("beginxxx")
    assert execution.output.endswith("xxxend")
    assert "[... 99008 characters left out ...]" in execution.output
    assert execution.output_bytes == 100_008


async def test_an_output_bomb_is_stopped(world: World) -> None:
    code = "import os\nwhile True:\n    os.write(1, b'x' * 65536)"
    execution = await world.run(code, output_mb=1, output_chars=100)
    assert execution.ending is Ending.OUTPUT_EXCEEDED
    assert execution.exit_code is None
    assert len(execution.output) < 200


async def test_closed_streams_do_not_end_a_script(world: World) -> None:
    code = (
        "import os, time; os.write(1, b'x'); os.close(1); os.close(2); time.sleep(1); os._exit(9)"
    )
    execution = await world.run(code)
    assert (execution.exit_code, execution.output) == (9, "x")


# The patch


async def test_a_patch_is_laid_over_the_repository(world: World) -> None:
    odd = "odd dir/-x 'q\" $HOME\n.txt"
    changes = [
        FileChange("README", b"changed\n"),
        FileChange("new.py", b"N = 5\n"),
        FileChange("a/b/c/d.py", b"D = 4\n"),
        FileChange("pkg/deep/only.py", None),
        FileChange("tool", b"#!/bin/sh\necho tool\n", executable=True),
        FileChange("run.sh", b"#!/bin/sh\necho plain\n", executable=False),
        FileChange("länder/ü/é.txt", "é".encode()),
        FileChange(odd, b"odd"),
        FileChange("blob.bin", bytes(range(255, -1, -1))),
    ]
    code = (
        "import os, stat, new, subprocess\n"
        "from a.b.c import d\n"
        "print(open('README').read().strip(), new.N, d.D)\n"
        "print(os.path.exists('pkg/deep'), os.path.exists('pkg/ops.py'))\n"
        "tool = subprocess.check_output(['./tool'], text=True).strip()\n"
        "print(tool, os.access('run.sh', os.X_OK))\n"
        "print(open('länder/ü/é.txt').read(), open('länder/ñ.txt').read().strip())\n"
        f"print(open({odd!r}).read())\n"
        "print(open('blob.bin', 'rb').read() == bytes(range(255, -1, -1)))\n"
        "print(stat.filemode(os.stat('a/b').st_mode), stat.filemode(os.stat('new.py').st_mode))"
    )
    execution = await world.run(code, *changes)
    assert execution.output.splitlines() == [
        "changed 5 4",
        "False True",
        "tool False",
        "é n",
        "odd",
        "True",
        "drwxr-xr-x -rw-r--r--",
    ]


async def test_a_file_may_become_a_folder_and_a_folder_a_file(world: World) -> None:
    changes = [
        FileChange("README", None),
        FileChange("README/inner.txt", b"in"),
        FileChange("pkg/deep/only.py", None),
        FileChange("pkg/deep", b"now a file"),
    ]
    code = "print(open('README/inner.txt').read(), open('pkg/deep').read())"
    assert (await world.run(code, *changes)).output == "in now a file\n"


async def test_an_edited_module_is_never_shadowed_by_a_compiled_one(world: World) -> None:
    for value in (7, 8):
        change = FileChange("pkg/ops.py", f"def two():\n    return {value}\n".encode())
        execution = await world.run("import pkg.ops; print(pkg.ops.two())", change)
        assert execution.output == f"{value}\n"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "..",
        ".git/config",
        "pkg/.GIT/hooks/x",
        "",
        "a//b",
        "./a",
        "a/",
        "nul\0l",
    ],
)
async def test_hostile_paths_are_refused(world: World, path: str) -> None:
    for content in (b"x", None):
        with pytest.raises(UsageError):
            await world.run("print(1)", FileChange(path, content))


@pytest.mark.parametrize("path", ["outside/passwd", "inside/ops.py", "outside/new/deep.txt"])
@pytest.mark.parametrize("content", [b"x", None])
async def test_links_in_the_repository_are_never_followed(
    world: World, path: str, content: bytes | None
) -> None:
    with pytest.raises(UsageError, match="symbolic link"):
        await world.run("print('ran')", FileChange(path, content))


async def test_a_link_itself_may_be_replaced_or_deleted(world: World) -> None:
    changes = [
        FileChange("outside", b"a file"),
        FileChange("tail", b"t"),
        FileChange("inside", None),
    ]
    code = (
        "import os\n"
        "print(os.path.islink('outside'), open('outside').read(), open('README').read().strip())\n"
        "print(os.path.lexists('inside'), os.path.exists('pkg/ops.py'))"
    )
    assert (await world.run(code, *changes)).output == "False a file hello\nFalse True\n"


async def test_a_folder_is_not_replaced_with_all_that_is_in_it(world: World) -> None:
    with pytest.raises(UsageError, match="folder"):
        await world.run("print(1)", FileChange("pkg", b"x"))


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
            "print('loopback')"
        )
        execution = await world.run(code)
    assert execution.output == "['lo']\nloopback\n"


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
    pending = asyncio.ensure_future(world.run(code, timeout_s=4))
    await eventually(lambda: running(token) == 3 or pending.done())
    execution = await pending
    assert (execution.ending, execution.exit_code) == (Ending.TIMEOUT, None)
    assert execution.output == "begun\n"
    assert execution.duration_s >= 4
    await eventually(lambda: running(token) == 0)


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
    await eventually(lambda: running(token) == 0)


async def test_a_memory_bomb_ends_and_never_passes(world: World) -> None:
    execution = await world.run("x = bytearray(4 << 30); print(len(x))", memory_mb=256)
    if world.kind == "docker":
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
    assert execution.ending is Ending.DISK_EXCEEDED
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
    await eventually(lambda: running(token) == 1)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    assert running(token) == 0
    assert (await world.run("print('on')")).output == "on\n"


async def test_cancelled_at_any_moment_it_leaves_nothing(world: World) -> None:
    token = new_token()
    for moment in (0.0, 0.01, 0.03, 0.06, 0.1, 0.2):
        pending = asyncio.ensure_future(world.run(SLEEP.format(token)))
        await asyncio.sleep(moment)
        pending.cancel()
        await asyncio.sleep(0)
        pending.cancel()  # an impatient caller changes nothing
        with pytest.raises(asyncio.CancelledError):
            await pending
        assert running(token) == 0


# The environment


async def test_the_environment_is_entered_before_the_script(world: World) -> None:
    lines = "export ENTERED=yes\ncd /\necho noise of the activation"
    sandbox = await world.provider.open(world.changed(activate=lines), run=world.run_id)
    script = Script("import os; print(os.environ['ENTERED'], os.getcwd())")
    execution = await sandbox.execute(script, Patch("", ()), world.limits())
    assert execution.output == "yes /testbed\n"


@pytest.mark.parametrize(
    "lines", ["false", "exit 3", "echo the reason; return 2", "no-such-command"]
)
async def test_an_activation_that_fails_is_not_the_scripts_failure(
    world: World, lines: str
) -> None:
    sandbox = await world.provider.open(world.changed(activate=lines), run=world.run_id)
    with pytest.raises(SandboxError, match="activated") as caught:
        await sandbox.execute(Script("print(1)"), Patch("", ()), world.limits())
    assert not isinstance(caught.value, SandboxUnavailable)
    if "reason" in lines:
        assert "the reason" in caught.value.message


async def test_an_interpreter_that_is_not_there_has_to_be_mended(world: World) -> None:
    with pytest.raises(SandboxUnavailable, match="no-such-python") as caught:
        await world.execute(Script("print(1)", interpreter="no-such-python"))
    assert caught.value.mend


async def test_a_command_that_cannot_be_read_is_refused(world: World) -> None:
    for script in (Script("", interpreter="python '"), Script("", suffix="/../x")):
        with pytest.raises(UsageError):
            await world.execute(script)


async def test_the_codebase_is_the_tracked_files(world: World) -> None:
    codebase = await world.sandbox.read_codebase()
    assert list(codebase.files) == [
        "README",
        "länder/ñ.txt",
        "pkg/__init__.py",
        "pkg/deep/only.py",
        "pkg/ops.py",
        "run.sh",
    ]
    assert codebase.files["run.sh"].executable
    assert codebase.files["pkg/ops.py"].text == "def two():\n    return 3\n"
    assert set(codebase.skipped) == {"blob.bin", "outside", "inside", "tail"}
    assert (await world.sandbox.read_codebase()).digest == codebase.digest


async def test_a_commit_that_is_not_there_is_the_users_to_mend(world: World) -> None:
    with pytest.raises(UsageError, match="no commit"):
        await world.provider.open(replace(world.instance, base_commit="f" * 40), run="r")


async def test_describe_and_kind(world: World) -> None:
    assert world.provider.kind == world.kind
    assert "per execution" in world.provider.describe()
    assert "\n" not in world.provider.describe()


async def test_closing_twice_is_fine(world: World) -> None:
    await world.sandbox.close()
    await world.sandbox.close()
