"""Images whose repository is not root's: scripts can change it all the same."""

from __future__ import annotations

import io
import secrets
import tarfile
from typing import TYPE_CHECKING

import pytest

from data.instances.instance import Environment
from data.patches.patch import UNEDITED
from sandbox.docker.containers import Containers
from sandbox.docker.containers.ground import Ground
from sandbox.docker.containers.settings import Machine
from sandbox.docker.engine import Engine
from sandbox.docker.engine.labels import container_labels
from sandbox.docker.images.images import engine_ledger
from sandbox.docker.images.made import Maker, Verdicts
from sandbox.docker.oneshot import OneShot
from sandbox.docker.ownership import Ownership
from sandbox.owner import this_process
from sandbox.protocol import Limits, Script
from sandbox.supervise import Stop
from tests.support.debian_image import debian_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.docker.engine import Image

pytestmark = pytest.mark.docker

TREE = {
    "home/bob": (0o700, None),
    "home/bob/tool.sh": (0o700, b"echo tool\n"),
    "home/bob/repo": (0o755, None),
    "home/bob/repo/a.py": (0o644, b"a\n"),
    "home/bob/repo/.git": (0o755, None),
    "home/bob/repo/.git/object": (0o444, b"x\n"),
    "home/bob/repo/tests": (0o755, None),
    "home/bob/repo/tests/t.py": (0o644, b"t\n"),
}
REPO = "/home/bob/repo"
WRITES = """\
set -e
cd /home/bob/repo
for file in a.py tests/t.py tests/new.py; do echo changed >$file; done
rm -f tests/t.py .git/object
sh ../tool.sh
"""


@pytest.fixture(params=["without find", "with find"])
def base(request: pytest.FixtureRequest) -> str:
    if request.param == "without find":
        return str(request.getfixturevalue("python_image"))
    return debian_image(("findutils",))


@pytest.fixture
def engine(base: str) -> Iterator[Engine]:
    connection = Engine.connect()
    yield connection
    connection.close()


@pytest.fixture
def image_of(
    engine: Engine, base: str, prepared_images: set[str]
) -> Callable[[Callable[[str], int], int], str]:
    """Makes an image with `TREE`: the owner by path, and permissions that are taken away."""

    def make(owner: Callable[[str], int], without: int) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path, (mode, content) in TREE.items():
                info = tarfile.TarInfo(path)
                info.uid = info.gid = owner(path)
                info.mode, info.mtime = mode & ~without, 1_000_000_000
                info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
                info.size = len(content or b"")
                tar.addfile(info, io.BytesIO(content or b""))
        container = engine.create({"image": base, "command": ["sh"]}, {})
        name = f"troop/test-owner:{secrets.token_hex(8)}"
        try:
            engine.put(container, buffer.getvalue())
            engine.commit(container, name, ["USER 1234", "ENV HOME=/home/bob", 'CMD ["sh"]'])
        finally:
            engine.remove(container)
        prepared_images.add(name)
        return name

    return make


def ready(engine: Engine, name: str, folder: Path, names: set[str]) -> tuple[Ground, Image]:
    maker = Maker(engine, engine_ledger(engine, folder), Verdicts(folder / "verdicts"))
    labels = container_labels(this_process(), "run", "its")
    environment = Environment(image=name, repo_dir=REPO)
    ground = Ground(
        engine, Machine.of(engine), Containers(engine), engine.image(name), environment, labels
    )
    image = Ownership(ground, maker).image(Stop())
    assert Ownership(ground, maker).image(Stop()) == image
    if image.name != name:
        names.add(image.name)
    return ground, image


def writes(ground: Ground, image: Image) -> str:
    environment = Environment(image=image.name, repo_dir="/")
    there = Ground(
        ground.engine, ground.machine, ground.containers, image, environment, ground.labels
    )
    script = Script(WRITES, interpreter="sh", suffix=".sh")
    done = OneShot(there).execute(Stop(), script, UNEDITED, Limits(timeout_s=60))
    return done.output


@pytest.mark.parametrize(
    ("owner", "without"),
    [
        (lambda _: 1234, 0),
        (lambda path: 1234 if "tests" in path else 0, 0),
        (len, 0),
        (lambda _: 0, 0o222),
    ],
    ids=["a user's", "a folder", "several owners", "read-only"],
)
def test_scripts_can_change_what_is_not_roots(
    owner: Callable[[str], int],
    without: int,
    image_of: Callable[[Callable[[str], int], int], str],
    engine: Engine,
    tmp_path: Path,
    prepared_images: set[str],
) -> None:
    name = image_of(owner, without)
    ground, image = ready(engine, name, tmp_path, prepared_images)
    assert image.name.startswith("troop/owned:")
    assert writes(ground, ground.image).split() != ["tool"]
    assert writes(ground, image).split() == ["tool"]
    config = engine.image_config(image.id)
    assert (config["User"], config["Cmd"]) == ("1234", ["sh"])


def test_an_image_that_is_roots_is_used_as_it_is(
    image_of: Callable[[Callable[[str], int], int], str],
    engine: Engine,
    tmp_path: Path,
    prepared_images: set[str],
) -> None:
    _, image = ready(engine, image_of(lambda _: 0, 0), tmp_path, prepared_images)
    assert image.name.startswith("troop/test-owner:")
