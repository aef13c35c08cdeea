"""Images made of Debian packages, for languages that this machine may not have.

The packages are fetched by this machine's apt, with all that they depend on, and unpacked without
running what they would run when installed: 12 s for Ruby and a C compiler, where debootstrap
takes 44 s.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from sandbox.docker.engine import Engine
from sandbox.docker.engine.labels import image_labels, label_changes
from sandbox.locks import held
from sandbox.supervise import Stop
from tests.support.docker import require_docker

RUBY_AND_C = ("ruby", "gcc", "libc6-dev", "make")

_RECIPE = 1
_BASE = ("base-files", "bash", "dash", "coreutils", "util-linux", "mount", "tar", "sed", "grep")
_MERGED = ("bin", "sbin", "lib", "lib64")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@functools.cache
def debian_image(packages: tuple[str, ...]) -> str:
    """The image with `packages`, made unless the engine has it.

    Skips the test where it cannot be made; fails it where TROOP_REQUIRE_DOCKER is set.
    """
    require_docker()
    digest = hashlib.sha256(repr((_RECIPE, _BASE, packages)).encode()).hexdigest()[:16]
    name = f"troop/test-debian:{digest}"
    engine = Engine.connect()
    try:
        lock = Path(tempfile.gettempdir()) / f"troop-debian-{digest}.lock"
        with held(lock, Stop()):  # the suite runs in several processes
            if not engine.has_image(name):
                _make(engine, name, packages)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or error
        reason = f"no image can be made of Debian packages here: {said}"
        if os.environ.get("TROOP_REQUIRE_DOCKER"):
            pytest.fail(reason)
        pytest.skip(reason)
    finally:
        engine.close()
    return name


def _make(engine: Engine, name: str, packages: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="troop-debian-") as folder:
        root = Path(folder) / "root"
        for merged in _MERGED:
            (root / "usr" / merged).mkdir(parents=True)
            (root / merged).symlink_to(f"usr/{merged}")
        for archive in _fetch(Path(folder) / "apt", (*_BASE, *packages)):
            _unpack(archive, root)
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
        (root / "etc/group").write_text("root:x:0:\n")
        if shutil.which("gcc", path=str(root / "usr/bin")):
            (root / "usr/bin/cc").symlink_to("gcc")  # Debian's is made when gcc is installed
        changes = [f"ENV PATH={_PATH}", "ENV LANG=C.UTF-8", *label_changes(image_labels("test"))]
        with tempfile.TemporaryFile() as tar:
            subprocess.run(
                ["tar", "-C", root, "--numeric-owner", "-c", "."], stdout=tar, check=True
            )
            tar.seek(0)
            engine.import_image(tar, name, changes)


def _fetch(state: Path, packages: tuple[str, ...]) -> list[Path]:
    """The archives of `packages` and of all they need, as if nothing were installed."""
    for folder in ("lists/partial", "archives/partial"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    settings = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Cache::archives": state / "archives",
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": "false",
        "Debug::NoLocking": "true",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    for words in (["update"], ["--yes", "--download-only", "install", *packages]):
        subprocess.run(
            ["apt-get", "-qq", *options, *words], check=True, capture_output=True, text=True
        )
    return sorted((state / "archives").glob("*.deb"))


def _unpack(archive: Path, root: Path) -> None:
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE
    ) as content:
        subprocess.run(
            ["tar", "-C", root, "--keep-directory-symlink", "-x"],
            stdin=content.stdout,
            check=True,
        )
