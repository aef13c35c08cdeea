"""`troop gc`: what it shows, what it removes, and its exit codes."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runs.cli import gc
from runs.cli.main import build_parser
from sandbox.docker.engine.labels import container_labels
from sandbox.owner import this_process
from sandbox.supervise import Stop
from tests.sandbox.registry import Registry
from tests.sandbox.shelf import Shelf, shelf
from tests.support.command import Command

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

__all__ = ["shelf"]

DEAD = replace(this_process(), start="1")


@pytest.fixture
def troop(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    command.extra["XDG_STATE_HOME"] = str(tmp_path / "state")
    return command


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder that a dead process left."""
    name = f"{DEAD}@{DEAD.place}".replace(":", "_")
    folder = tmp_path / "cache" / "troop" / "local" / "running" / name
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"x" * 2_000_000)
    return folder


def test_help_has_examples(troop: Command) -> None:
    output = troop.finish("gc", "--help")
    for word in ("Examples:", "troop gc --images --older-than 7d", "--dry-run", "living process"):
        assert word in output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--older-than", "7d"], "--images"),
        (["--images", "--older-than", "soon"], "30m, 12h, 7d or 2w"),
    ],
)
def test_wrong_arguments_are_reported(troop: Command, words: list[str], told: str) -> None:
    code, _, errors = troop.run("gc", *words)
    assert code == 2
    assert told in errors


def test_without_an_engine_this_machine_is_cleaned(troop: Command, left: Path) -> None:
    troop.extra["DOCKER_HOST"] = f"unix://{troop.folder}/none.sock"
    code, output, errors = troop.run("gc", "--dry-run")
    assert code == 0
    assert left.name.partition("@")[0] in output.replace("\n", "")
    assert "1 folder: 2 MB (dry run)" in output
    assert "No Docker engine answers" in errors
    assert left.exists()
    assert "Removed: 1 folder: 2 MB" in troop.finish("gc")
    assert not left.exists()
    assert troop.finish("gc") == "Nothing to remove.\n"


def carry_out(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """In this process, so that the command sees no images of other tests."""
    connected = contextlib.nullcontext((shelf.engine, ""))
    monkeypatch.setattr("sandbox.kinds.gc.connected", lambda: connected)
    monkeypatch.setenv("XDG_STATE_HOME", str(shelf.folder))
    args: argparse.Namespace = build_parser("gc").parse_args(["gc", *words])
    return gc.run(args)


@pytest.mark.docker
def test_an_engine_is_cleaned_with_its_images(
    shelf: Shelf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shelf.folder = tmp_path / "state" / "troop"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with Registry() as registry:
        pulled, theirs = registry.add(size=3_000_000), registry.add()
        images = shelf.images()
        images.release(images.ensure(pulled, Stop()))
        shelf.by_hand(theirs)
    container = shelf.container(theirs, container_labels(DEAD, "r", "i"))
    (name,) = shelf.container_names()
    shelf.folder = tmp_path / "state"
    assert carry_out(shelf, monkeypatch, "--images", "--older-than", "1d") == 0
    output = capsys.readouterr().out
    assert name in output
    assert pulled not in output
    assert container not in {each.id for each in shelf.engine.stored_containers()}
    assert carry_out(shelf, monkeypatch, "--images", "--dry-run") == 0
    assert pulled in capsys.readouterr().out
    assert shelf.there(pulled) == [pulled]
    assert carry_out(shelf, monkeypatch, "--images") == 0
    assert "1 image: 3 MB" in capsys.readouterr().out
    assert shelf.there(pulled, theirs) == [theirs]
