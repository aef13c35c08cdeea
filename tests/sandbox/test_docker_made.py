"""Images that Troop makes: once, whoever wants them, and nothing half made stays."""

from __future__ import annotations

import io
import secrets
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError
from sandbox.docker.engine import Engine
from sandbox.docker.gc import image_leftovers
from sandbox.docker.images.images import engine_ledger
from sandbox.docker.images.made import Maker, Recipe, Verdicts, digest_of
from sandbox.leftover import Scope
from sandbox.supervise import Stop
from tests.support.command import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.docker.engine import Image

pytestmark = pytest.mark.docker

MAKING = """\
import pathlib, sys, time
from tests.sandbox.test_docker_made import layer, maker_in
from sandbox.docker.images.made import Recipe
from sandbox.supervise import Stop

folder, digest, stage = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def make(recipe):
    with (folder / "made").open("a") as made:
        made.write("once\\n")
    time.sleep(0.5)
    return layer(maker.engine, recipe)

def check(image):
    if stage == "stay":
        print(image.id, flush=True)
        time.sleep(600)

with maker_in(folder) as maker:
    print(maker.image(Recipe("test-made", digest, make, check), Stop()).id)
"""


class maker_in:  # noqa: N801 - a context, as contextlib's
    def __init__(self, folder: Path) -> None:
        self.engine = Engine.connect()
        self.maker = Maker(self.engine, engine_ledger(self.engine, folder), Verdicts(folder / "v"))

    def __enter__(self) -> Maker:
        return self.maker

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def layer(engine: Engine, recipe: Recipe) -> str:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(secrets.token_hex(4)))
    buffer.seek(0)
    return engine.import_image(buffer, "", recipe.labels)


@pytest.fixture
def maker(docker_engine: Engine, tmp_path: Path) -> Iterator[Maker]:
    with maker_in(tmp_path) as maker:
        yield maker


@pytest.fixture
def digest(maker: Maker) -> Iterator[str]:
    digest = digest_of(secrets.token_hex(16))
    yield digest
    maker.engine.remove_image(Recipe("test-made", digest, lambda _: None).name)


@pytest.fixture
def start(tmp_path: Path, digest: str) -> Callable[[str], subprocess.Popen[str]]:
    def start(stage: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", MAKING, str(tmp_path), digest, stage]
        return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    return start


def test_of_several_processes_one_makes_it(
    start: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    processes = [start("go on") for _ in range(3)]
    ids = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 3
    assert len(ids) == 1
    assert (tmp_path / "made").read_text() == "once\n"


def test_what_a_killed_process_half_made_goes(
    start: Callable[[str], subprocess.Popen[str]], maker: Maker, digest: str
) -> None:
    with start("stay") as process:
        assert process.stdout is not None
        half_made = process.stdout.readline().strip()
        recipe = Recipe("test-made", digest, lambda recipe: layer(maker.engine, recipe))
        assert not maker.engine.has_image(recipe.name)
        assert half_made not in left_over(maker)  # its maker lives
        process.kill()
    (leftover,) = [each for each in left_over(maker).items() if each[0] == half_made]
    assert leftover[1]()
    assert not maker.engine.has_image(half_made)
    made = maker.image(recipe, Stop())
    assert made is not None
    assert made.labels.items() >= {"troop": "image", "troop.kind": "test-made"}.items()


def left_over(maker: Maker) -> dict[str, Callable[[], bool]]:
    entries = maker.ledger.entries()
    found = image_leftovers(maker.engine, maker.ledger, Scope(images=True))
    named = {image[:19]: image for image in entries}
    return {named[each.name]: each.remove for each in found if each.name in named}


def test_what_may_not_be_used_does_not_stay(maker: Maker, digest: str) -> None:
    seen: list[str] = []

    def refuse(image: Image) -> None:
        seen.append(image.id)
        raise SandboxError("no")

    make = lambda recipe: layer(maker.engine, recipe)  # noqa: E731 - it is short
    with pytest.raises(SandboxError, match="no"):
        maker.image(Recipe("test-made", digest, make, refuse), Stop())
    assert not maker.engine.has_image(seen[0])
    assert maker.ledger.entries() == {}
    assert maker.image(Recipe("test-made", digest, make), Stop()) is not None


def test_that_there_is_nothing_to_make_is_remembered(maker: Maker, digest: str) -> None:
    asked: list[Recipe] = []
    for _ in range(2):
        assert maker.image(Recipe("test-made", digest, asked.append), Stop()) is None
    assert len(asked) == 1
