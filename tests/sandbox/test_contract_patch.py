"""What every sandbox keeps of patches: each test runs against each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from data.patches.patch import FileChange

if TYPE_CHECKING:
    from tests.sandbox.repository import World

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


HOSTILE = (
    *("/etc/passwd", "../x", "a/../../x", "..", ".git/config", "pkg/.GIT/hooks/x", ""),
    *("a//b", "./a", "a/", "nul\0l"),
)


async def test_hostile_paths_are_refused(world: World) -> None:
    for path in HOSTILE:
        for content in (b"x", None):
            with pytest.raises(UsageError):
                await world.run("print(1)", FileChange(path, content))


@pytest.mark.parametrize("content", [b"x", None])
async def test_links_in_the_repository_are_never_followed(
    world: World, content: bytes | None
) -> None:
    for path in ("outside/passwd", "inside/ops.py", "outside/new/deep.txt"):
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


async def test_a_file_has_nothing_below_it(world: World) -> None:
    with pytest.raises(UsageError, match="below a file"):
        await world.run("print(1)", FileChange("README/x", b"x"))


async def test_a_folder_is_not_replaced_with_all_that_is_in_it(world: World) -> None:
    with pytest.raises(UsageError, match="folder"):
        await world.run("print(1)", FileChange("pkg", b"x"))
