"""Hostile images: made of the Python image by a script that runs in it with all rights."""

from __future__ import annotations

import contextlib
import io
import platform
import secrets
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.docker.engine import Engine

HERE = Path(__file__).parent / "hostile_image"
_CALLS = Path(__file__).parents[2] / "sandbox/docker/warm/supervisor"
LINKER = {
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
    "aarch64": "/lib/ld-linux-aarch64.so.1",
}[platform.machine()]
_FLAGS = [
    "-Os",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-tree-loop-distribute-patterns",
    "-nostdlib",
]


def recorders(folder: Path) -> dict[str, bytes]:
    """The files of an image whose programs, dynamic linker and libraries record their rights."""

    def built(name: str, *flags: str) -> bytes:
        made = folder / name
        source = str(HERE / "recorder.c")
        command = ["gcc", *_FLAGS, f"-I{_CALLS}", *flags, source, "-o", str(made)]
        subprocess.run(command, check=True, capture_output=True)
        return made.read_bytes()

    static = ("-static", "-no-pie", "-fno-pic")
    return {
        "program": built("program", *static),
        "linker": built(
            "linker", *static, f'-DREAL="{LINKER}.real"', "-Wl,-Ttext-segment=0x70000000"
        ),
        "preloaded.so": built("preloaded.so", "-shared", "-fPIC", "-DPRELOADED"),
        "setup.py": (HERE / "setup.py").read_bytes(),
    }


@contextlib.contextmanager
def hostile_image(
    engine: Engine,
    base: str,
    command: Sequence[str],
    files: Mapping[str, bytes],
    changes: Sequence[str] = (),
) -> Iterator[str]:
    """The name of an image that is `base` after `command`, with `files` in its folder /evil.

    `changes`: lines of a Dockerfile. The image is removed at the end.
    """
    name = f"troop/test-hostile:{secrets.token_hex(8)}"
    settings = {
        "image": base,
        "entrypoint": list(command),
        "command": [],
    }
    container = engine.create(settings, {"network_mode": "none"})
    try:
        engine.put(container, _tar(files))
        with contextlib.closing(engine.attach(container)) as output:
            engine.start(container)
            said = b"".join(data for _, data in output.frames())
        code = engine.wait(container, 60)
        if code != 0:
            raise RuntimeError(f"{command} ended with {code}: {said.decode()}")
        engine.commit(container, name, ["ENTRYPOINT []", 'CMD ["/bin/sh"]', *changes])
    finally:
        engine.remove(container)
    try:
        yield name
    finally:
        engine.remove_image(name)


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"evil/{name}")
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
