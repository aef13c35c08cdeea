"""The local sandbox where the kernel gives no namespaces."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.patches.patch import FileChange
from sandbox.protocol import Ending
from tests.sandbox.processes import new_token, running
from tests.support.waiting import eventually_async

if TYPE_CHECKING:
    from tests.sandbox.repository import World

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs the Linux kernel")


async def test_bare_it_says_so(bare_world: World) -> None:
    assert "NO isolation" in bare_world.provider.describe()


async def test_bare_executions_are_copies(bare_world: World) -> None:
    code = (
        "import os, pkg.ops\n"
        "open('new.txt', 'w'); open(os.path.expanduser('~/x'), 'w')\n"
        "print(pkg.ops.two(), sorted(os.listdir('.')))"
    )
    change = FileChange("pkg/ops.py", b"def two():\n    return 2\n")
    first = await bare_world.run(code, change)
    assert first.output.startswith("2 [")
    assert (await bare_world.run(code, change)).output == first.output
    with pytest.raises(UsageError, match="symbolic link"):
        await bare_world.run(code, FileChange("outside/x", b""))
    assert list((bare_world.folder / "running").glob("*/*/*")) == []


async def test_bare_has_a_clean_environment(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code = "import os; print('OPENAI_API_KEY' in os.environ, os.environ['HOME'] == os.getcwd())"
    assert (await bare_world.run(code)).output == "False False\n"


@linux
async def test_bare_a_tree_is_hunted_down(bare_world: World) -> None:
    token = new_token()
    code = (
        "import os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        f"            os.execvp('sleep', ['sleep', {token!r}])\n"
        "        os._exit(0)\n"
        "time.sleep({})"
    )
    pending = asyncio.ensure_future(bare_world.run(code.format(60), timeout_s=3))
    await eventually_async(lambda: running(token) == 3)
    assert (await pending).ending is Ending.TIMEOUT
    assert running(token) == 0
    assert (await bare_world.run(code.format(0.5))).ending is Ending.EXITED
    assert running(token) == 0


async def test_bare_limits(bare_world: World) -> None:
    execution = await bare_world.run("bytearray(4 << 30)", memory_mb=256)
    if sys.platform == "linux":
        assert "MemoryError" in execution.output
    code = "import time\nopen('x', 'wb').write(bytes(30 << 20))\ntime.sleep(60)"
    assert (await bare_world.run(code, disk_mb=10)).ending is Ending.DISK_EXCEEDED


async def test_bare_cancelled(bare_world: World) -> None:
    token = new_token()
    code = f"import os; os.execvp('sleep', ['sleep', {token!r}])"
    pending = asyncio.ensure_future(bare_world.run(code))
    await eventually_async(lambda: running(token) == 1)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    assert running(token) == 0
