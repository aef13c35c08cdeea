"""What only the local sandbox has: walls, templates, owners' folders."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.patches.patch import UNEDITED
from sandbox.local import LocalProvider
from sandbox.local.folders import Folders, copy_tree, remove_dead_owners, remove_tree, tree_bytes
from sandbox.local.isolation import Isolation, best, can_hold
from sandbox.owner import this_process
from sandbox.protocol import Script
from tests.sandbox.processes import new_token, running, start_owner
from tests.support.waiting import eventually_async

if TYPE_CHECKING:
    from tests.sandbox.repository import World

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs the Linux kernel")
walled = pytest.mark.skipif(best() is Isolation.NONE, reason="the kernel gives no namespaces")


# Walls


@walled
async def test_the_rest_of_the_system_is_read_only(local_world: World) -> None:
    code = (
        "for path in ('/x', '/usr/x', '/etc/x', '/home/x', '/root/x', '/usr/lib/x'):\n"
        "    try:\n"
        "        open(path, 'w'); print('wrote', path)\n"
        "    except OSError:\n"
        "        pass\n"
        "for line in open('/proc/self/status'):\n"
        "    if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs')):\n"
        "        print(*line.split())"
    )
    assert (await local_world.run(code)).output.splitlines() == [
        f"CapEff: {'0' * 16}",
        f"CapBnd: {'0' * 16}",
        "NoNewPrivs: 1",
    ]


@walled
async def test_the_users_files_are_not_there(local_world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0o644)
    paths = [str(secret), str(Path(__file__)), str(local_world.folder)]
    code = f"import os; print([p for p in {paths} if os.path.exists(p)])"
    assert (await local_world.run(code)).output == "[]\n"


@walled
async def test_ordinary_things_work(local_world: World) -> None:
    code = (
        "import getpass, multiprocessing, os, pty, socket, subprocess, tempfile\n"
        "multiprocessing.Lock(); pty.openpty()\n"
        "open('/dev/null', 'w').write('x'); open('/dev/urandom', 'rb').read(1)\n"
        "print(getpass.getuser(), socket.gethostname(), os.path.expanduser('~'))\n"
        "print(tempfile.mkdtemp().startswith('/tmp/'), os.getpid() < 100)\n"
        "print(subprocess.check_output(['sh', '-c', 'echo $((1 + 1))'], text=True))"
    )
    assert (await local_world.run(code)).output.splitlines() == [
        "sandbox sandbox /home/sandbox",
        "True True",
        "2",
        "",
    ]


# The setup


async def test_the_setup_runs_once_in_an_environment_of_its_own(local_world: World) -> None:
    setup = (
        "python -c 'import sys; print(sys.prefix)' >made.txt\n"
        "packages=$(python -c 'import site; print(site.getsitepackages()[0])')\n"
        "echo 'V = 5' >$packages/installed.py"
    )
    prepared = local_world.changed(setup=setup)
    sandbox = await local_world.provider.open(prepared, run="r")
    code = (
        "import installed, sys; print(installed.V, open('made.txt').read() == sys.prefix + '\\n')"
    )
    for _ in range(2):
        execution = await sandbox.execute(
            Script(code + "; open('made.txt', 'w')"), UNEDITED, local_world.limits()
        )
        assert execution.output == "5 True\n"
    made = list((local_world.folder / "templates").glob("*/venv"))
    await local_world.provider.open(prepared, run="r")
    assert list((local_world.folder / "templates").glob("*/venv")) == made
    codebase = await sandbox.read_codebase()
    assert "made.txt" not in codebase.files


async def test_a_setup_that_fails_leaves_no_template(local_world: World) -> None:
    setup = f"echo the reason {new_token()}; false"
    before = set((local_world.folder / "templates").iterdir())
    with pytest.raises(UsageError, match="the reason"):
        await local_world.provider.open(local_world.changed(setup=setup), run="r")
    after = set((local_world.folder / "templates").iterdir())
    assert {path.suffix for path in after - before} == {".lock"}


# What it cannot hold


@pytest.mark.parametrize(
    ("repo_dir", "fine"),
    [
        ("/testbed", True),
        ("/home/me/project", True),
        ("/tmp/x", True),
        ("testbed", False),
        ("/", False),
        ("/usr/src/app", False),
        ("/etc", False),
        ("/proc/x", False),
        ("/troop", False),
        ("/a/../etc", False),
    ],
)
async def test_where_a_repository_may_be_seen(
    local_world: World, repo_dir: str, fine: bool
) -> None:
    assert can_hold(repo_dir) is fine
    if not fine:
        with pytest.raises(UsageError, match="cannot show"):
            await local_world.provider.open(local_world.changed(repo_dir=repo_dir), run="r")


async def test_an_image_alone_is_not_enough(local_world: World) -> None:
    with pytest.raises(UsageError, match="image"):
        await local_world.provider.open(local_world.changed(source=None, image="x"), run="r")


# Owners


OWNER = """
import asyncio, sys
from pathlib import Path
from data.instances.instance import Environment, Instance
from data.patches.patch import UNEDITED
from sandbox.local import LocalProvider
from sandbox.local.isolation import Isolation
from sandbox.protocol import Limits, Script

# The token is not an argument of this process itself.
token = sys.stdin.readline().strip()

async def main():
    isolation = Isolation(sys.argv[3]) if sys.argv[3] else None
    async with LocalProvider(folder=Path(sys.argv[1]), isolation=isolation) as provider:
        environment = Environment(source=Path(sys.argv[2]))
        sandbox = await provider.open(Instance("i", "r", "HEAD", "", environment), run="r")
        code = f"import os; os.execvp('sleep', ['sleep', '{token}'])"
        await sandbox.execute(Script(code), UNEDITED, Limits())

asyncio.run(main())
"""


@linux
@pytest.mark.parametrize("isolation", ["", "none"])
async def test_a_killed_owner_takes_its_scripts_with_it(
    tmp_path: Path, repository: Path, isolation: str
) -> None:
    """And the next provider removes its folders."""
    token = new_token()
    words = [str(tmp_path), str(repository), isolation]
    owner = start_owner([sys.executable, "-c", textwrap.dedent(OWNER), *words], token)
    try:
        await eventually_async(lambda: running(token) == 1 or owner.poll() is not None)
        assert owner.poll() is None
    finally:
        owner.kill()
        owner.wait()
    await eventually_async(lambda: running(token) == 0)
    assert len(list((tmp_path / "running").iterdir())) == 1
    async with LocalProvider(folder=tmp_path, isolation=Isolation.NONE):
        assert len(list((tmp_path / "running").iterdir())) == 1
    assert list((tmp_path / "running").iterdir()) == []


def test_only_dead_owners_lose_their_folders(tmp_path: Path) -> None:
    me = this_process()
    mine = Folders(tmp_path)
    name = next(tmp_path.iterdir()).name
    dead = name.replace(f"_{me.start}@", "_1@")
    for folder in (dead, name.replace(me.boot, "earlier"), "unrelated", "a@b", "a_1_2@c_d"):
        (tmp_path / folder).mkdir()
    removed = {path.name for path in remove_dead_owners(tmp_path)}
    assert removed == {dead, name.replace(me.boot, "earlier")}
    assert {path.name for path in tmp_path.iterdir()} == {name, "unrelated", "a@b", "a_1_2@c_d"}
    mine.close()
    assert name not in {path.name for path in tmp_path.iterdir()}


# Folders


def test_a_copy_is_exact(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "d").mkdir(parents=True)
    (source / "d" / "tool").write_bytes(b"\0\xff")
    (source / "d" / "tool").chmod(0o755)
    os.utime(source / "d" / "tool", (1000, 1000))
    (source / "link").symlink_to("/etc")
    (source / "broken").symlink_to("nowhere")
    os.mkfifo(source / "pipe")
    copy_tree(source, tmp_path / "copy", None)
    tool = tmp_path / "copy" / "d" / "tool"
    assert (tool.read_bytes(), tool.stat().st_mode & 0o777, tool.stat().st_mtime) == (
        b"\0\xff",
        0o755,
        1000,
    )
    assert (tmp_path / "copy" / "link").readlink() == Path("/etc")
    assert (tmp_path / "copy" / "broken").is_symlink()
    assert not (tmp_path / "copy" / "pipe").exists()


def test_removing_follows_no_link_and_minds_no_mode(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = tmp_path / "folder"
    (folder / "locked" / "deep").mkdir(parents=True)
    (folder / "locked" / "deep" / "file").touch()
    (folder / "locked" / "link").symlink_to(outside)
    (folder / "locked" / "deep").chmod(0)
    (folder / "locked").chmod(0o555)
    remove_tree(folder)
    assert not folder.exists()
    assert (outside / "kept").exists()


def test_a_tree_is_measured(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "big").write_bytes(bytes(3 << 20))
    (tmp_path / "link").symlink_to("/usr")
    assert 3 << 20 <= tree_bytes(tmp_path) < 4 << 20


async def test_a_provider_opens_only_while_entered(local_world: World) -> None:
    with pytest.raises(RuntimeError):
        await LocalProvider().open(local_world.instance, run="r")
