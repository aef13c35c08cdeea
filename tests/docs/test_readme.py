"""README, pasted line by line into one shell, in a fresh clone.

The text stays as it is, but for what the two tables below name. Around it is what a reader has: a
model server, a dataset of the hub (in the cache of its library), and a repository of their own.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from sandbox.docker.engine import Engine
from tests.docs.pages import ROOT, Pasted, pasted
from tests.sandbox.repository import git
from tests.support import graded, scripted_model
from tests.support.command import calc_repository
from tests.support.docker import python_image
from tests.support.hub import put_in_cache
from tests.support.model_server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["python_image"]

pytestmark = [pytest.mark.docker, pytest.mark.slow]

COMMANDS = pasted(ROOT / "README.md")
SERVER = "http://localhost:8000/v1"
IMAGE = "troop-test/readme:1"

NOT_RUN = {"troop gc": "it would remove what other tests on this engine have left a moment ago"}
ADDED = {
    "troop solve --repo .": (
        "--sandbox local",
        "its image, python:3.12, is pulled from a registry",
    ),
}
IN_OWN_REPOSITORY = "Your own repository"
HANGS_S = 3600

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "calc"
version = "1"
"""

CHECK = """\
from calc import mean

try:
    right = mean([]) == 0
except ZeroDivisionError:
    right = False
print("PASSED" if right else "FAILED", "check.py::test_add")
print("PASSED" if mean([1, 3]) == 2 else "FAILED", "check.py::test_sub")
"""


@dataclass
class Session:
    """What the shell has said, by command."""

    codes: dict[str, int]
    said: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def image(python_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The benchmark's instance: the scripted model's repository, with a check that grades."""
    repository = calc_repository(tmp_path_factory.mktemp("graded"))
    (repository / "check.py").write_text(CHECK)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Check")
    engine = Engine.connect()
    try:
        graded.commit_folder(engine, python_image, repository, IMAGE)
        yield IMAGE
    finally:
        remove_with_what_was_made_of_it()
        engine.close()


def remove_with_what_was_made_of_it() -> None:
    """Troop keeps images for the next run of an instance, which this one does not have."""
    client = docker.from_env()
    made = client.images.list(filters={"label": "troop=image"})
    family = [client.images.get(IMAGE).id]
    while kin := [i.id for i in made if i.attrs["Parent"] in family and i.id not in family]:
        family += kin
    for image in reversed(family):
        client.images.remove(image, force=True)
    client.close()


@pytest.fixture(scope="module")
def session(image: str, tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("reader")
    fresh_clone(folder / "troop")
    own = calc_repository(folder)
    (own / "pyproject.toml").write_text(PROJECT)
    git(own, "add", "-A")
    git(own, "commit", "-q", "-m", "Package")
    (own / "bug.md").write_text(scripted_model.ISSUE)
    row = graded.row(problem_statement=scripted_model.ISSUE, image=image)
    put_in_cache(folder / "hub", "SWE-bench___swe-bench_verified", ["test"], [row])
    with ModelServer(many_answers, models=("qwen3-coder", "gpt-4.1")) as server:
        return paste(folder, server.base_url)


def many_answers(body: dict[str, Any]) -> str | list[str]:
    """The scripted model, which knows four samples, asked for ten."""
    answer = scripted_model.answer(body)
    wanted = body.get("n") or 1
    return answer if isinstance(answer, str) else list(islice(cycle(answer), wanted))


def fresh_clone(place: Path) -> None:
    """A clone, with what is not yet committed here."""
    subprocess.run(["git", "clone", "-q", ROOT, place], check=True)
    listed = ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True).stdout.split(
        b"\0"
    ):
        file = Path(os.fsdecode(name))
        if name and (ROOT / file).is_file():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, place / file)


def paste(folder: Path, server: str) -> Session:
    """Run what can be run in one shell; each command's code and output go to files."""
    run = [command for command in COMMANDS if " ".join(command.words) not in NOT_RUN]
    lines = [f"cd {shlex.quote(str(folder / 'troop'))}"]
    for number, command in enumerate(run):
        own = command.section == IN_OWN_REPOSITORY
        lines += [f"cd {shlex.quote(str(folder / 'calc'))}"] * own
        lines += ["{", text_of(command, server), f"}} >../said-{number} 2>&1 </dev/null"]
        lines += [f"echo $? >../code-{number}", *["cd ../troop"] * own]
    subprocess.run(
        ["bash", "--noprofile", "--norc"],
        input="\n".join(lines),
        env=environment(folder, server),
        text=True,
        check=False,
        timeout=HANGS_S,
    )
    codes = [int((folder / f"code-{number}").read_text()) for number in range(len(run))]
    said = [(folder / f"said-{number}").read_text() for number in range(len(run))]
    texts = [command.text for command in run]
    return Session(
        dict(zip(texts, codes, strict=True)), dict(zip(texts, said, strict=True)), folder
    )


def text_of(command: Pasted, server: str) -> str:
    added = (more for start, (more, _) in ADDED.items() if command.text.startswith(start))
    return " ".join([command.text.replace(SERVER, server), *added])


def environment(folder: Path, server: str) -> dict[str, str]:
    """A reader's: without this environment's Python, with folders of their own."""
    gone = {"VIRTUAL_ENV", "PYTHONPATH", "COLUMNS"}
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    own = str(Path(sys.executable).parent)
    places = [place for place in kept["PATH"].split(os.pathsep) if place != own]
    folders = {
        f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "DATA", "STATE")
    }
    return (
        kept
        | folders
        | {
            "PATH": os.pathsep.join(places),
            "PYTHON": sys.executable,
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": server,
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_CACHE": str(folder / "hub"),
        }
    )


def test_every_command_ends_well(session: Session) -> None:
    bad = {text: code for text, code in session.codes.items() if code != 0}
    assert bad == {}, "\n".join(session.said[text] for text in bad)
    assert [text for text, said in session.said.items() if "Traceback" in said] == []


def test_all_but_what_is_named_was_pasted(session: Session) -> None:
    left = [c.text for c in COMMANDS if c.text not in session.codes]
    assert len(left) == len(NOT_RUN)
    assert len(session.codes) > 15
    for start in ADDED:
        assert any(text.startswith(start) for text in session.codes)


def test_the_story_is_the_one_that_is_told(session: Session) -> None:
    def told(start: str) -> str:
        return next(said for text, said in session.said.items() if text.startswith(start))

    assert "candidate 3" in told("make demo")
    assert "demo-recorded-1" in told("troop show  ")
    assert "editing" in told('troop sql "SELECT')
    assert "+    return sum(values) / len(values) if values else 0.0" in told("troop solve")
    assert "1 of 1" in told("troop grade first")
    assert (session.folder / "troop" / "out" / "first" / "preds.json").is_file()
