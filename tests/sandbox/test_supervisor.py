"""The supervisor's program: that it is what its source says, and how it takes orders."""

from __future__ import annotations

import contextlib
import platform
import secrets
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.docker.containers.settings import Machine, container_settings, walled_warm
from sandbox.docker.warm import orders
from sandbox.docker.warm.channel import Channel
from sandbox.docker.warm.listening import Listener, Raw
from sandbox.docker.warm.program import new_path, program_for, tar_of_program
from sandbox.launch import StagedFile
from sandbox.protocol import Limits
from tests.support.waiting import HANG_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.docker.engine import Engine

SOURCE = Path(__file__).parents[2] / "sandbox/docker/warm/supervisor"
PROCESSORS = ("x86_64", "aarch64")
LIMITS = Limits(timeout_s=20, memory_mb=256, disk_mb=64)

# The program and its source


@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_program_is_static(processor: str) -> None:
    """It names no interpreter and no library, which would be the image's."""
    program = program_for(processor)
    assert program is not None
    assert program.startswith(b"\x7fELF")
    assert struct.unpack_from("<H", program, 16) == (2,)  # an executable at a fixed place
    at, size, count = (
        int.from_bytes(program[start:end], "little")
        for start, end in ((32, 40), (54, 56), (56, 58))
    )
    kinds = {
        int.from_bytes(program[at + n * size : at + n * size + 4], "little") for n in range(count)
    }
    interpreter, dynamic = 3, 2
    assert not kinds & {interpreter, dynamic}
    assert len(program) < 32_000


@pytest.mark.slow
@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_program_is_built_from_its_source(processor: str, tmp_path: Path) -> None:
    """Debian 12's compiler makes the same bytes. Another one must accept the source."""
    compiler = f"{processor}-linux-gnu-gcc"
    if not shutil.which(compiler):
        pytest.skip(f"needs {compiler}")
    subprocess.run(["sh", str(SOURCE / "build.sh"), str(tmp_path), processor], check=True)
    built = (tmp_path / f"supervisor-{processor}").read_bytes()
    version = subprocess.check_output([compiler, "--version"], text=True).splitlines()[0]
    if "(Debian 12" in version and "12.2.0-14" in version:
        assert built == program_for(processor)


def test_an_unknown_processor_has_no_program() -> None:
    assert program_for("riscv64") is None
    assert program_for("arm64") == program_for("aarch64")
    assert new_path() != new_path()


# Orders


class Supervised:
    """A started supervisor, spoken to directly."""

    def __init__(self, engine: Engine, container: str, channel: Channel) -> None:
        self.engine, self.container, self.channel = engine, container, channel
        self.output = Raw(1 << 26)

    def ask(self, mark: str, text: bytes) -> list[str]:
        listener = Listener(mark, self.output)
        self.channel.send(text)
        while not listener.over:
            if piece := self.channel.receive(time.monotonic() + HANG_S):
                listener.hear(*piece)
        assert listener.answer is not None
        return listener.answer

    def run(self, launcher: bytes, *files: StagedFile, layer: int = 0, guard_s: int = 30) -> str:
        """What the launcher prints, and then its exit code and a note."""
        self.output.data.clear()
        staged = orders.stage([StagedFile("launch.sh", launcher), *files])
        mark = secrets.token_hex(12)
        answer = self.ask(mark, staged + orders.execute(mark, layer, guard_s))
        return self.output.data.decode("latin-1") + " ".join(answer)


@pytest.fixture
def supervised(docker_engine: Engine, python_image: str) -> Iterator[Supervised]:
    machine, path = Machine.of(docker_engine), new_path()
    program = program_for(platform.machine())
    assert program is not None
    settings = container_settings(docker_engine.image(python_image), (path,), {}, {})
    container = docker_engine.create(
        settings | {"stdin_open": True}, walled_warm(LIMITS, machine) | {"auto_remove": False}
    )
    try:
        docker_engine.put(container, tar_of_program(program, path))
        channel = Channel(docker_engine.attach(container, stdin=True))
        with contextlib.closing(channel._attached):
            docker_engine.start(container)
            found = Supervised(docker_engine, container, channel)
            assert found.ask("first", orders.hello("first", LIMITS)) == ["0", "-"]
            yield found
    finally:
        docker_engine.remove(container)


@pytest.mark.docker
def test_any_content_arrives_as_it_is(supervised: Supervised) -> None:
    """Also a great many NULs, which a shell could not hold."""
    contents = [
        b"",
        b"\n\n",
        b"no newline",
        b"run m 0 3\ngone launch.sh\n",
        bytes(range(256)) * 3,
        b"\0",
        b"\x80\x81\x88\xff'",
        b"x" * 300_000,
        b"\0" * (20 << 20),
    ]
    files = [StagedFile(f"{n} it's", text) for n, text in enumerate(contents)]
    said = supervised.run(
        b"""cd /troop; for n in 0 1 2 3 4 5 6 7 8; do cat "$n it's"; done""", *files
    )
    assert said == b"".join(contents).decode("latin-1") + "0 -"


@pytest.mark.docker
def test_it_tells_how_an_execution_ended(supervised: Supervised) -> None:
    assert supervised.run(b"echo a; exit 7") == "a\n7 -"
    assert supervised.run(b"kill -9 $$") == "137 -"
    assert supervised.run(b"kill -TERM 1; exit 3") == "3 -"
    filled = supervised.run(b"cat /dev/zero >/tmp/x 2>/dev/null; exit 1")
    assert filled == "1 full"
    assert supervised.run(b"ls /tmp") == "0 -"


@pytest.mark.docker
def test_a_layer_is_seen_until_it_is_forgotten(supervised: Supervised) -> None:
    launcher = StagedFile("launch.sh", b"echo patched >/new; mkdir /a; ln -s / /a/b")
    for _ in range(2):
        assert supervised.ask("lay", orders.stage([launcher]) + orders.lay_patch("lay", 5, 30)) == [
            "0",
            "-",
        ]
        assert supervised.run(b"cat /new; rm -r /new", layer=5) == "patched\n0 -"
        assert supervised.run(b"cat /new", layer=5) == "patched\n0 -"
        supervised.channel.send(orders.forget_patch(5))
        assert supervised.run(b"[ ! -e /new ]") == "0 -"


@pytest.mark.docker
def test_a_layer_cannot_lead_the_supervisor_astray(supervised: Supervised) -> None:
    """Where it mounts something, it finds folders of its own, whatever the layer has there."""
    astray = (
        b"for d in dev etc tmp sys proc; do rm -rf /$d; ln -s /root /$d; done 2>/dev/null\n"
        b"for d in null tty pts; do ln -sf /etc/passwd /dev/$d; done 2>/dev/null\n"
        b"[ -L /tmp ] || exit 1"
    )
    assert supervised.ask(
        "lay", orders.stage([StagedFile("launch.sh", astray)]) + orders.lay_patch("lay", 1, 30)
    ) == ["0", "-"]
    looked = supervised.run(
        b"for d in dev etc sys proc tmp; do [ -L /$d ] && echo $d; done\n"
        b"[ -c /dev/null ] && [ -c /dev/pts/ptmx ] && [ -d /sys/kernel ] && [ -e /proc/1 ]",
        layer=1,
    )
    assert looked == "0 -"


@pytest.mark.docker
@pytest.mark.parametrize(
    "order",
    [
        b"nonsense\n",
        b"file 3 ../../x\nabc",
        b"gone a/b\n",
        b"hello " + b"x" * 5000,
        b"run " + b"m" * 900 + b" 0 9\n",
    ],
)
def test_an_order_that_is_none_ends_it(supervised: Supervised, order: bytes) -> None:
    """The orders come from Troop alone, so a wrong one is a fault of ours."""
    supervised.channel.send(order)
    assert supervised.engine.wait(supervised.container, 60) != 137


@pytest.mark.docker
def test_all_ends_with_the_owner(supervised: Supervised) -> None:
    """Not only after the time of the script, but as soon as its input is closed."""
    staged = orders.stage([StagedFile("launch.sh", b"trap '' HUP TERM; sleep 4000 & sleep 4000")])
    supervised.channel.send(staged + orders.execute("m", None, 4000))
    eventually(lambda: len(_processes(supervised)) > 3)
    supervised.channel.hang_up()
    assert supervised.engine.wait(supervised.container, 60) == 1


@pytest.mark.docker
def test_all_ends_after_the_guards_time(supervised: Supervised) -> None:
    staged = orders.stage([StagedFile("launch.sh", b"trap '' HUP TERM; sleep 4000 & sleep 4000")])
    supervised.channel.send(staged + orders.execute("m", None, 1))
    assert supervised.engine.wait(supervised.container, 60) == 1


def _processes(supervised: Supervised) -> list[str]:
    return supervised.engine._api.top(supervised.container)["Processes"] or []
