"""What is noted of images, which of them may go, and when: without an engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.docker.engine import StoredContainer, StoredImage
from sandbox.docker.engine.labels import HOME, KIND, MADE, image_labels
from sandbox.docker.images.disk import Disk, Marks
from sandbox.docker.images.eviction import canonical, removable
from sandbox.docker.images.ledger import Ledger, LedgerEntry
from sandbox.docker.images.pace import Pace
from sandbox.docker.images.progress import Layers, PullState, messages
from sandbox.docker.images.pulling import Brake
from sandbox.image_settings import ImageSettings
from sandbox.owner import this_process
from tests.support.command import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ME = this_process()
DEAD = replace(ME, start="1")
HOME_ID = "mine"
ELSEWHERE = replace(ME, host="other", boot="other")


def holder(owner: object) -> str:
    return f"{owner} {owner.place}"  # type: ignore[attr-defined]


# The ledger


def test_what_is_noted_is_found_by_others(tmp_path: Path) -> None:
    mine, theirs = Ledger("engine", tmp_path), Ledger("engine", tmp_path, DEAD)
    mine.add("sha256:1", ["a:1", "b:2"])
    (entry,) = theirs.entries().values()
    assert entry.tags == ("a:1", "b:2")
    assert entry.held(ME)
    assert Ledger("another engine", tmp_path).entries() == {}
    theirs.hold("sha256:1")
    theirs.hold("sha256:unknown")
    mine.release("sha256:1")
    (entry,) = mine.entries().values()
    assert entry.holders == ()  # whoever is dead holds nothing, and goes with the next change
    mine.forget(["sha256:1"])
    assert mine.entries() == {}


def test_nobody_takes_away_what_another_living_process_holds(tmp_path: Path) -> None:
    theirs = Ledger("engine", tmp_path, ELSEWHERE)
    theirs.add("sha256:1", ["a:1"])
    mine = Ledger("engine", tmp_path)
    assert not mine.take_away("sha256:1", lambda: pytest.fail("it is held"))
    theirs.release_all()
    assert not mine.take_away("sha256:1", lambda: False)
    assert "sha256:1" in mine.entries()
    assert mine.take_away("sha256:1", lambda: True)
    assert mine.entries() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"version": 1, "engines": []}',
        b'{"version": 1, "engines": {"engine": {"sha256:1": {"tags": ["a:1"]}}}}',
        (
            b'{"version": 1, "engines": {"e": {"1": '
            b'{"tags": [1], "since": 1, "used": 1, "holders": []}}}}'
        ),
    ],
)
def test_a_damaged_ledger_says_of_nothing_that_it_is_ours(tmp_path: Path, content: bytes) -> None:
    ledger = Ledger("engine", tmp_path)
    ledger.path.write_bytes(content)
    assert ledger.entries() == {}
    ledger.hold("sha256:1")
    assert ledger.path.read_bytes() == content
    ledger.add("sha256:2", ["b:2"])
    assert list(ledger.entries()) == ["sha256:2"]


def test_a_later_versions_ledger_is_left_alone(tmp_path: Path) -> None:
    ledger = Ledger("engine", tmp_path)
    ledger.path.write_text(json.dumps({"version": 2, "images": []}))
    before = ledger.path.read_bytes()
    ledger.add("sha256:1", ["a:1"])
    assert ledger.entries() == {}
    assert ledger.path.read_bytes() == before


def test_a_ledger_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ledger = Ledger("engine", tmp_path / "file" / "below")
    ledger.add("sha256:1", ["a:1"])
    assert ledger.entries() == {}
    assert not ledger.take_away("sha256:1", lambda: pytest.fail("nothing is locked"))


ADDING = """
import sys
from pathlib import Path
from sandbox.docker.images.ledger import Ledger
ledger = Ledger("engine", Path(sys.argv[1]))
for number in range(20):
    ledger.add(f"sha256:{sys.argv[2]}-{number}", ["a:1"])
"""


@pytest.mark.slow
def test_processes_do_not_lose_each_others_notes(tmp_path: Path) -> None:
    words = [sys.executable, "-c", ADDING, str(tmp_path)]
    adding = [subprocess.Popen([*words, str(number)], cwd=ROOT) for number in range(4)]
    assert [process.wait(60) for process in adding] == [0] * 4
    assert len(Ledger("engine", tmp_path).entries()) == 80


# What may go


def stored(number: int, *tags: str, **fields: object) -> StoredImage:
    return replace(StoredImage(f"sha256:{number}", tags, "", 10, 0.0, {}), **fields)  # type: ignore[arg-type]


def made(kind: str) -> dict[str, str]:
    return image_labels(kind, HOME_ID)


def chosen(
    images: list[StoredImage],
    entries: dict[str, LedgerEntry],
    *,
    used_by: str = "",
    needed: str = "",
    others: bool = False,
) -> list[str]:
    containers = [StoredContainer("c", "c", used_by, 0.0, {})] if used_by else []
    found = removable(images, containers, entries, ME, [needed], home=HOME_ID, others=others)
    return [each.name for each in found]


def test_the_least_recently_used_goes_first() -> None:
    images = [stored(n, f"a:{n}") for n in range(4)]
    entries = {f"sha256:{n}": LedgerEntry((f"a:{n}",), 0, used) for n, used in enumerate((3, 1, 2))}
    assert chosen(images, entries) == ["a:1", "a:2", "a:0"]


@pytest.mark.parametrize(
    ("image", "entry", "options"),
    [
        (stored(1, "a:1"), None, {}),
        (stored(1, "a:1", "mine:1"), LedgerEntry(("a:1",), 0, 0), {}),
        (stored(1), LedgerEntry(("a:1",), 0, 0), {}),
        (stored(1, "a:1"), LedgerEntry(("a:1",), 0, 0, (holder(ME),)), {}),
        (stored(1, "a:1"), LedgerEntry(("a:1",), 0, 0, (holder(DEAD), holder(ELSEWHERE))), {}),
        (stored(1, "a:1"), LedgerEntry(("a:1",), 0, 0, ("nonsense",)), {}),
        (stored(1, "a:1"), LedgerEntry(("a:1",), 0, 0), {"used_by": "sha256:1"}),
        (
            stored(1, "a:latest"),
            LedgerEntry(("a:latest",), 0, 0),
            {"needed": "docker.io/library/a"},
        ),
        (stored(1, "troop/prepared:1", labels=made("scrubbed")), None, {}),
        (stored(1, "mine:1", labels=made("prepared")), None, {}),
        (stored(1, "troop/prepared:1", "mine:1", labels=made("prepared")), None, {}),
        (stored(1, labels=made("prepared")), None, {}),
        (stored(1, "troop/prepared:1", labels={KIND: "prepared"}), None, {}),
        (stored(1, "troop/prepared:1", labels=made("prepared") | {HOME: "theirs"}), None, {}),
        (stored(1, "troop/prepared:1", labels={MADE: "image", KIND: "prepared"}), None, {}),
        (
            stored(1, "troop/prepared:1", labels={MADE: "image", KIND: "prepared"}),
            LedgerEntry(("troop/prepared:1",), 0, 0),  # used here, which makes it nobody's
            {},
        ),
    ],
)
def test_what_never_goes(
    image: StoredImage, entry: LedgerEntry | None, options: dict[str, str]
) -> None:
    assert chosen([image], {image.id: entry} if entry else {}, **options) == []


def test_what_was_made_just_now_stays() -> None:
    made_now = stored(1, "troop/prepared:1", labels=made("prepared"), created=time.time())
    assert chosen([made_now], {}) == []


def test_what_goes() -> None:
    images = [
        stored(1, "troop/prepared:1", labels=made("prepared")),
        stored(2),
        stored(3, "a:3"),
        stored(4, "a:4"),
        stored(5, "b:5", parent="sha256:4"),
    ]
    entries = {
        "sha256:2": LedgerEntry((), 0, 1),  # pulled by its digest
        "sha256:3": LedgerEntry(("a:3",), 0, 2, (holder(DEAD),)),
        "sha256:4": LedgerEntry(("a:4",), 0, 3),  # what a person built on it needs it
    }
    assert chosen(images, entries) == ["troop/prepared:1", "sha256:2", "a:3"]


def test_what_others_made_goes_only_where_it_is_asked_for() -> None:
    older = {MADE: "image", KIND: "prepared"}
    images = [
        stored(1, "troop/prepared:1", labels=made("prepared")),
        stored(2, "troop/prepared:2", labels=made("prepared") | {HOME: "theirs"}),
        stored(3, "troop/prepared:3", labels=older),
        stored(4, "troop/prepared:4", labels=made("prepared") | {HOME: "theirs"}),
        stored(5, "a:5"),
    ]
    pulled = {"sha256:5": LedgerEntry(("a:5",), 0, 1)}
    assert chosen(images, pulled) == ["troop/prepared:1", "a:5"]
    theirs = chosen(images, pulled, others=True, used_by="sha256:4")
    assert theirs == ["troop/prepared:2", "troop/prepared:3"]
    assert [each.name for each in removable(images, [], {}, ME, home="")] == []


def test_a_state_folder_has_one_home_that_looking_does_not_make(tmp_path: Path) -> None:
    one, other = Ledger("engine", tmp_path), Ledger("another", tmp_path)
    assert one.home == ""
    assert list(tmp_path.iterdir()) == []
    assert one.settle() == other.settle() == one.home != ""
    assert Ledger("engine", tmp_path / "elsewhere").settle() != one.home


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("python", "python:latest"),
        ("docker.io/library/python:3.12", "python:3.12"),
        ("docker.io/a/b", "a/b:latest"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b:latest"),
        ("a/b@sha256:0", "a/b@sha256:0"),
    ],
)
def test_names_as_the_engine_lists_them(name: str, listed: str) -> None:
    assert canonical(name) == listed


# Water marks


@pytest.mark.parametrize(
    ("total_gb", "free_gb", "too_full", "roomy"),
    [
        (1000, 300, False, True),
        (1000, 200, False, False),
        (1000, 150, True, False),
        (60, 12, False, False),
        (40, 9.9, True, False),
        (40, 14, False, False),
        (0, 0, True, False),
    ],
)
def test_water_marks(total_gb: float, free_gb: float, too_full: bool, roomy: bool) -> None:
    marks, disk = Marks(ImageSettings()), Disk(total_gb * 1e9, free_gb * 1e9)
    assert (marks.too_full(disk), marks.roomy(disk)) == (too_full, roomy)


# Pauses and progress


def test_pauses_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("sandbox.docker.images.pulling.time.monotonic", lambda: now)
    brake = Brake(Pace())
    for pause in (60, 120, 240, 480, 900, 900):
        brake.hit(None)
        brake.hit(None)  # another pull's, in the same trouble
        assert pause <= brake.left_s() <= 1.2 * pause * 1.2
        now += brake.left_s()
        assert brake.left_s() == 0
    brake.release()
    brake.hit(7200)
    assert 7200 <= brake.left_s() <= 7200 * 1.2
    now += brake.left_s()
    brake.hit(0.0002)
    assert 2 <= brake.left_s() <= 2 * 1.2


def test_layers_are_added_up_whatever_pieces_they_come_in() -> None:
    lines = [
        {"status": "Pulling from a/b", "id": "1"},
        {"status": "Pulling fs layer", "progressDetail": {}, "id": "x"},
        {"status": "Pulling fs layer", "progressDetail": {}, "id": "y"},
        {"status": "Already exists", "progressDetail": {}, "id": "z"},
        {"status": "Downloading", "progressDetail": {"current": 10, "total": 100}, "id": "x"},
        {"status": "Downloading", "progressDetail": {"current": 5, "total": 50}, "id": "y"},
        {"status": "Download complete", "progressDetail": {}, "id": "y"},
        {"status": "Extracting", "progressDetail": {"current": 5, "total": 50}, "id": "y"},
        {"status": "Verifying Checksum", "progressDetail": {}, "id": "x"},
        {"status": "Pull complete ä", "progressDetail": {}, "id": "x"},
    ]
    whole = "\r\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    for size in (1, 7, len(whole)):
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert len(list(messages(chunks))) == len(lines)
    layers = Layers("a/b")
    seen = [layers.add(line) for line in lines]
    assert [each.done_bytes for each in seen] == [0, 0, 0, 0, 10, 15, 60, 60, 150, 150]
    assert [each.total_bytes for each in seen][-1] == 150
    assert seen[-2].stage is PullState.UNPACKING
