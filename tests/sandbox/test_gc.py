"""What is left behind is found and removed; what is anybody's stays."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.docker.engine.labels import container_labels, image_labels, label_changes
from sandbox.kinds.gc import Places
from sandbox.leftover import Leftover, Scope
from sandbox.local.folders import Folders
from sandbox.owner import this_process
from sandbox.supervise import Stop
from tests.sandbox.registry import Registry
from tests.sandbox.shelf import Shelf, shelf

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.owner import Owner

__all__ = ["shelf"]

ME = this_process()
DEAD = replace(ME, start="1")
DAY = 86400.0


def names(found: list[Leftover], what: str) -> list[str]:
    return sorted(each.name for each in found if each.what == what)


# This machine


def left_by(owner: Owner, base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as patch:
        patch.setattr("sandbox.local.folders.this_process", lambda: owner)
        folders = Folders(base / "running")
    with folders.new() as kept:
        (kept / "deep").mkdir()
        (kept / "deep" / "file").write_bytes(b"x" * 5000)
        kept.rename(kept.with_name("left"))
    return kept.parent.parent


def test_folders_of_dead_owners_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "local"
    dead = left_by(DEAD, base, monkeypatch)
    living = left_by(ME, base, monkeypatch)
    elsewhere = left_by(replace(ME, host="o", boot="o"), base, monkeypatch)
    (base / "running" / "mine").mkdir()
    places = Places(None, folder=base)
    (found,) = places.leftovers(Scope(images=True))
    assert (found.what, found.name) == ("folder", str(dead))
    assert found.size >= 5000
    assert str(DEAD.pid) in found.why
    assert found.remove()
    assert not dead.exists()
    assert living.exists()
    assert elsewhere.exists()
    assert places.leftovers(Scope()) == []


def test_what_was_half_made_goes(tmp_path: Path) -> None:
    base = tmp_path / "local"
    for name in ("ready", "cut-off", "being-made"):
        (base / "templates" / name / "repo").mkdir(parents=True)
        (base / "templates" / f"{name}.lock").touch()
    (base / "templates" / "ready" / "ready").touch()
    codebases = tmp_path / "codebases"
    codebases.mkdir()
    for name, age in ((f".{'a' * 32}", 2 * DAY), (f".{'b' * 32}", 0), (f"{'c' * 64}.zst", DAY)):
        (codebases / name).touch()
        os.utime(codebases / name, (time.time() - age,) * 2)
    fcntl = pytest.importorskip("fcntl")
    with (base / "templates" / "being-made.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = Places(None, folder=base).leftovers(Scope())
    cut_off = str(base / "templates" / "cut-off")
    assert names(found, "half-made") == [str(codebases / f".{'a' * 32}"), cut_off]
    (base / "templates" / "cut-off" / "ready").touch()  # finished after all
    assert [each.remove() for each in found if each.name == cut_off] == [False]
    (base / "templates" / "cut-off" / "ready").unlink()
    assert all(each.remove() for each in found)
    assert sorted(path.name for path in (base / "templates").iterdir() if path.is_dir()) == [
        "being-made",
        "ready",
    ]


# An engine


@pytest.mark.docker
def test_containers_of_dead_owners_go(shelf: Shelf, tmp_path: Path) -> None:
    image = shelf.make("base", home="troop-tests/base")
    owners = {
        "dead": container_labels(DEAD, "r", "i"),
        "living": container_labels(ME, "r", "i"),
        "elsewhere": container_labels(replace(ME, host="o", boot="o"), "r", "i"),
        "not ours": container_labels(DEAD, "r", "i") | {"troop": "0"},
        "a person's": {},
    }
    made = {name: shelf.container(image, labels) for name, labels in owners.items()}
    found = Places(shelf.engine, shelf.ledger(), tmp_path / "none").leftovers(Scope())
    ours = [each for each in found if each.name in shelf.container_names()]
    (gone,) = ours
    # Another Troop that starts at this moment, in another test say, may have been faster.
    assert gone.why == f"process {DEAD.pid} is gone"
    assert gone.remove()
    there = {container.id for container in shelf.engine.stored_containers()}
    assert {name for name, container in made.items() if container in there} == {
        *owners,
    } - {"dead"}


@pytest.mark.docker
def test_images_of_ours_that_nothing_uses_go_where_it_is_asked_for(
    shelf: Shelf, tmp_path: Path
) -> None:
    with Registry() as registry:
        pulled, held, used, theirs = (registry.add() for _ in range(4))
        images = shelf.images()
        for name in (pulled, used):
            images.release(images.ensure(name, Stop()))
        images.ensure(held, Stop())
        shelf.by_hand(theirs)
        shelf.container(used)
        made = shelf.make("made", since=time.time() - 3 * DAY)
        mine = shelf.make("mine", home="troop-tests/mine")
        places = Places(shelf.engine, shelf.ledger(), tmp_path / "none")
        assert names(places.leftovers(Scope()), "image") == []
        assert names(places.leftovers(Scope(images=True, unused_for_s=DAY)), "image") == [made]
        found = [each for each in places.leftovers(Scope(images=True)) if each.what == "image"]
        assert names(found, "image") == sorted([pulled, made])
        assert {each.why for each in found} == {"pulled, unused", "made, unused"}
        again = images.ensure(pulled, Stop())  # meanwhile
        gone = {each.name: each.remove() for each in found}
        assert gone == {pulled: False, made: True}
        images.release(again)
        assert all(each.remove() for each in found if each.name == pulled)
        assert shelf.there(pulled, held, used, theirs, made, mine) == [held, used, theirs, mine]


@pytest.mark.docker
def test_each_troop_on_an_engine_counts_and_removes_its_own_images(
    shelf: Shelf, tmp_path: Path
) -> None:
    """Two state folders, as those of two users or of two hosts, and an image of an older Troop."""
    mine = shelf.make("mine")
    state, shelf.folder = shelf.folder, tmp_path / "another"
    theirs = shelf.make("theirs")
    there = Places(shelf.engine, shelf.ledger(), tmp_path / "none")
    shelf.folder = state
    here = Places(shelf.engine, shelf.ledger(), tmp_path / "none")
    assert names(here.leftovers(Scope(images=True)), "image") == [mine]
    assert names(there.leftovers(Scope(images=True)), "image") == [theirs]
    assert here.others()[0] == 1
    both = here.leftovers(Scope(images=True, others=True))
    assert names(both, "image") == sorted([mine, theirs])
    (other,) = (each for each in both if each.name == theirs)
    assert other.why == "made by another Troop, or by an older one"
    # One that uses an image of another's does not own it.
    images = shelf.images()
    images.hold(shelf.engine.image(theirs))
    images.release(shelf.engine.image(theirs))
    assert names(here.leftovers(Scope(images=True)), "image") == [mine]
    assert other.remove()
    assert shelf.there(mine, theirs) == [mine]


@pytest.mark.docker
def test_the_size_of_an_image_is_what_only_it_has(shelf: Shelf, tmp_path: Path) -> None:
    base = shelf.make("base")
    container = shelf.container(base)
    changes = label_changes(image_labels("child", shelf.ledger().home))
    names_made = []
    for number in (1, 2):
        name = f"troop/child{number}:{shelf.engine.token}"
        shelf.engine.commit(container, name, [*changes, f'LABEL number="{number}"'])
        shelf.engine.ids.add(shelf.engine.image(name).id)
        names_made.append(name)
    own = shelf.engine.own_bytes()
    assert own[shelf.engine.image(base).id] == 0
    assert all(own[shelf.engine.image(name).id] == 0 for name in names_made)
