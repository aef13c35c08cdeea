"""Images are strangers: nothing of an image runs with rights, whatever it contains."""

from __future__ import annotations

import io
import logging
import re
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from data.patches.patch import UNEDITED, FileChange, Patch
from sandbox.protocol import Ending, Limits, Script
from tests.sandbox.hostile import LINKER, hostile_image, recorders
from tests.sandbox.repository import create, in_image

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.docker.engine import Engine
    from tests.sandbox.repository import World

pytestmark = pytest.mark.docker

LIMITS = Limits(timeout_s=30, memory_mb=256, disk_mb=64)
HELLO = Script("print('hello')")
_NONE = "0000000000000000"
_SAID = re.compile(r"^(\S+) (\w{16}) (\w{16})$", re.MULTILINE)


def _recorded(engine: Engine, image: str, made: list[str]) -> str:
    """What was recorded while the image was made."""
    archive = b"".join(engine.archive(create(engine, image, {}, made), "/tmp/rights"))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile("rights")
        return file.read().decode() if file else ""


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs a compiler")
async def test_no_program_of_an_image_ever_runs_with_rights(
    docker_world: World,
    docker_engine: Engine,
    python_image: str,
    tmp_path: Path,
    made: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its shell, tools, dynamic linker and preloaded library record their capabilities."""
    files = recorders(tmp_path)
    patch = Patch.of("", (FileChange("a.py", b"1\n"),))
    change = ["ENV LD_PRELOAD=/evil/preloaded.so BASH_ENV=/evil/setup.py ENV=/evil/setup.py"]
    command = ["python3", "/evil/setup.py", LINKER]
    with hostile_image(docker_engine, python_image, command, files, change) as image:
        sandbox = await docker_world.provider.open(
            in_image(image, repo_dir="/evil"), run=docker_world.run_id
        )
        before = _recorded(docker_engine, sandbox.image_name, made)  # type: ignore[attr-defined]
        said = ""
        for _ in range(3):  # the third lays the patch as a layer
            execution = await sandbox.execute(
                Script("cat /tmp/rights; exit 0", interpreter="sh", suffix=".sh"), patch, LIMITS
            )
            assert execution.ending is Ending.EXITED, execution.output
            assert execution.output.startswith(before)
            said += execution.output.removeprefix(before)
        await sandbox.close()
    found = _SAID.findall(said)
    assert "takes longer" not in caplog.text  # it was a warm container
    assert {"/usr/bin/dash", "preloaded"} <= {who for who, *_ in found}, said
    assert {(who, *rights) for who, *rights in found if set(rights) != {_NONE}} == set()


async def test_an_image_needs_nothing_but_a_shell(
    docker_world: World, docker_engine: Engine, python_image: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even what Debian images have and others lack."""
    lacks = "for p in mount umount unshare setpriv chroot setsid; do rm -f $(command -v $p); done"
    command = ["/bin/sh", "-c", lacks]
    with hostile_image(docker_engine, python_image, command, {}) as image:
        sandbox = await docker_world.provider.open(in_image(image), run=docker_world.run_id)
        with caplog.at_level(logging.WARNING):
            assert (await sandbox.execute(HELLO, UNEDITED, LIMITS)).output == "hello\n"
        await sandbox.close()
    assert "takes longer" not in caplog.text


@pytest.mark.parametrize(
    "trick",
    [
        pytest.param("ln -s /etc /troop", id="a-link-to-a-system-folder"),
        pytest.param("ln -s / /troop", id="a-link-to-the-root"),
        pytest.param("ln -s /proc/1/root /troop", id="a-link-through-proc"),
        pytest.param("echo x >/troop", id="a-file"),
        pytest.param("mkdir -p /troop/job /troop/base; ln -s /etc /troop/root", id="a-full-folder"),
        pytest.param("mkdir /a; ln -s /a /troop; ln -s /troop /a/x", id="links-in-a-circle"),
    ],
)
async def test_an_image_that_lays_something_where_troop_works(
    docker_world: World, docker_engine: Engine, python_image: str, trick: str
) -> None:
    """Scripts run all the same, without rights, and nothing of the image is changed."""
    with hostile_image(docker_engine, python_image, ["/bin/sh", "-c", trick], {}) as image:
        sandbox = await docker_world.provider.open(in_image(image), run=docker_world.run_id)
        code = (
            "import os\n"
            "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('CapEff')])\n"
            "print(sorted(os.listdir('/troop')), len(os.listdir('/etc')) > 5)"
        )
        for _ in range(2):
            execution = await sandbox.execute(Script(code), UNEDITED, LIMITS)
            assert f"['{_NONE}']" in execution.output, execution.output
            assert "'script.py'" in execution.output
            assert execution.output.endswith("True\n")
        await sandbox.close()


@pytest.mark.parametrize(
    "change",
    ["VOLUME /troop", "VOLUME /troop/root", 'ENTRYPOINT ["/evil"]', "USER 1234", "WORKDIR /troop",
     "HEALTHCHECK CMD false", "ENV PATH=/evil TROOP=x"],
)  # fmt: skip
async def test_an_image_with_a_hostile_configuration(
    docker_world: World, docker_engine: Engine, python_image: str, change: str
) -> None:
    with hostile_image(docker_engine, python_image, ["/bin/true"], {}, [change]) as image:
        instance = in_image(image)
        sandbox = await docker_world.provider.open(instance, run=docker_world.run_id)
        script = Script(
            "while read -r k v; do case $k in CapEff:) echo $v;; esac; done </proc/self/status",
            interpreter="/bin/sh",
            suffix=".sh",
        )
        for _ in range(2):
            execution = await sandbox.execute(script, UNEDITED, LIMITS)
            assert execution.output == f"{_NONE}\n"
        await sandbox.close()
