"""Images come from a registry on this machine, through the real engine."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxUnavailable
from sandbox.docker.engine.failure import NoSpace
from sandbox.docker.images import ImageSettings, PullProgress, PullState
from sandbox.docker.images.pulling import Brake
from sandbox.supervise import Stop, Stopped
from tests.sandbox.registry import Fault, Registry
from tests.sandbox.shelf import LIMITED, QUICK, Shelf, shelf
from tests.support.waiting import HANG_S, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.docker

__all__ = ["shelf"]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


def in_threads(*jobs: Callable[[], object]) -> list[object]:
    """Run all at once; what each gave or raised."""
    results: list[object] = [None] * len(jobs)

    def work(number: int, job: Callable[[], object]) -> None:
        try:
            results[number] = job()
        except Exception as error:  # noqa: BLE001 - looked at by the test
            results[number] = error

    threads = [threading.Thread(target=work, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


# Pulling


def test_a_missing_image_is_pulled_once_and_then_known(shelf: Shelf, registry: Registry) -> None:
    name = registry.add(size=400_000, layers=3)
    registry.before_blob = lambda: time.sleep(0.05)
    told: list[PullProgress] = []
    image = shelf.images().ensure(name, Stop(), told.append)
    assert image.env == {"PATH": "/bin"}
    assert told[-1].stage is PullState.READY
    assert told[-1].done_bytes == told[-1].total_bytes > 3 * 400_000
    assert [each.done_bytes for each in told] == sorted(each.done_bytes for each in told)
    assert {PullState.PULLING} < {each.stage for each in told}
    asked = registry.asked.total()
    assert shelf.images().ensure(name, Stop()).id == image.id
    assert registry.asked.total() == asked
    assert shelf.ledger().entries()[image.id].tags == (name,)


def test_two_who_want_one_image_share_its_pull(shelf: Shelf, registry: Registry) -> None:
    name = registry.add()
    registry.before_blob = lambda: time.sleep(0.1)
    images = shelf.images()
    first, second = in_threads(*[lambda: images.ensure(name, Stop()).id] * 2)
    assert first == second == shelf.engine.image(name).id
    assert shelf.engine.pulled == [name]


def test_only_a_few_pulls_at_once(shelf: Shelf, registry: Registry) -> None:
    names = [registry.add() for _ in range(4)]
    registry.before_blob = lambda: time.sleep(0.05)
    images = shelf.images(ImageSettings(at_once=2))
    in_threads(*[lambda name=name: images.ensure(name, Stop()) for name in names])
    assert sorted(shelf.engine.pulled) == sorted(names)
    assert shelf.engine.most_at_once == 2


def test_stop_cuts_a_pull_off(shelf: Shelf, registry: Registry) -> None:
    name = registry.add(size=4_000_000)
    released = threading.Event()
    begun = threading.Event()

    def hang() -> None:
        begun.set()
        released.wait(HANG_S)

    registry.before_blob = hang
    stop = Stop()
    images = shelf.images()

    def order() -> None:
        begun.wait(HANG_S)
        stop.give()

    threading.Thread(target=order).start()
    with pytest.raises(Stopped):
        images.ensure(name, stop)
    assert not released.is_set()  # the pull was left, not waited for
    eventually(lambda: shelf.engine.at_once == 0)
    released.set()
    assert not shelf.engine.has_image(name)
    assert images.ensure(name, Stop()).name == name


def test_who_stops_leaves_the_pull_to_those_who_still_wait(
    shelf: Shelf, registry: Registry
) -> None:
    name = registry.add()
    stop, go = Stop(), threading.Event()
    registry.before_blob = lambda: go.wait(20) and None  # type: ignore[func-returns-value]
    images = shelf.images()

    def impatient() -> None:
        threading.Timer(0.3, stop.give).start()
        try:
            images.ensure(name, stop)
        finally:
            go.set()

    patient, gone = in_threads(lambda: images.ensure(name, Stop()).name, impatient)
    assert patient == name
    assert isinstance(gone, Stopped)
    assert shelf.engine.pulled == [name]


@pytest.mark.parametrize(
    ("what", "fault", "message", "hint"),
    [
        ("manifest", Fault(404, "MANIFEST_UNKNOWN"), "has no image", "name and tag"),
        ("manifest", Fault(404, "NAME_UNKNOWN"), "has no image", "name and tag"),
        ("manifest", Fault(403, "DENIED"), "does not give out", "docker login"),
        ("manifest", Fault(401, "UNAUTHORIZED"), "does not give out", "docker login"),
    ],
)
def test_what_a_person_has_to_mend_ends_the_pull(
    shelf: Shelf, registry: Registry, what: str, fault: Fault, message: str, hint: str
) -> None:
    name = registry.add()
    registry.always[what] = fault
    with pytest.raises(SandboxUnavailable, match=message) as caught:
        shelf.images().ensure(name, Stop())
    assert name in caught.value.message
    assert hint in caught.value.hint
    assert shelf.engine.pulled == [name]


def test_trouble_on_the_way_is_tried_again(shelf: Shelf, registry: Registry) -> None:
    name = registry.add()
    # The engine asks twice, by HEAD and by GET, before it gives up.
    registry.fail("manifest", Fault(500), Fault(503), Fault(), Fault(502), Fault(502))
    told: list[PullProgress] = []
    shelf.images().ensure(name, Stop(), told.append)
    assert 1 < len(shelf.engine.pulled) <= QUICK.tries
    (note, *_) = [each.note for each in told if each.stage is PullState.PAUSED]
    assert "cannot be reached" in note
    assert "trying again" in note


def test_trouble_that_stays_is_told(shelf: Shelf, registry: Registry) -> None:
    name = registry.add()
    registry.always["manifest"] = Fault()
    with pytest.raises(SandboxUnavailable, match="cannot be reached") as caught:
        shelf.images().ensure(name, Stop())
    assert "network" in caught.value.hint
    assert len(shelf.engine.pulled) == QUICK.tries


def test_a_rate_limit_pauses_all_pulls_and_then_they_go_on(
    shelf: Shelf, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited, other = registry.add(), registry.add()
    registry.fail("manifest", *[Fault(429, "TOOMANYREQUESTS", "You have reached")] * 2)
    images = shelf.images(pace=LIMITED)
    told: list[PullProgress] = []
    told_other: list[PullProgress] = []

    def paused(progress: list[PullProgress]) -> bool:
        return any(each.stage is PullState.PAUSED for each in progress)

    left_s, there = Brake.left_s, threading.Event()

    def until_the_other_has_met_it(brake: Brake) -> float:
        met = paused(told_other) or there.is_set()
        return left_s(brake) or (0.05 if paused(told) and not met else 0.0)

    def later() -> None:
        eventually(lambda: paused(told))
        images.ensure(other, Stop(), told_other.append)
        there.set()

    monkeypatch.setattr(Brake, "left_s", until_the_other_has_met_it)
    image, _ = in_threads(lambda: images.ensure(limited, Stop(), told.append).name, later)
    assert image == limited
    assert paused(told_other)
    assert any("limits pulls; continuing in" in each.note for each in told)
    assert shelf.engine.pulled.count(other) == 1


def test_a_rate_limit_can_be_stopped(shelf: Shelf, registry: Registry) -> None:
    name = registry.add()
    registry.always["manifest"] = Fault(429, "TOOMANYREQUESTS", "retry-after: 1h30m, allowed: 2")
    stop, told = Stop(), []

    def tell(progress: PullProgress) -> None:
        told.append(progress.note)
        if progress.stage is PullState.PAUSED:
            stop.give()

    with pytest.raises(Stopped):
        shelf.images().ensure(name, stop, tell)
    assert "min" in told[-1]


@pytest.mark.parametrize("index", [True, False])
def test_an_image_for_another_architecture(
    shelf: Shelf, registry: Registry, index: bool, caplog: pytest.LogCaptureFixture
) -> None:
    name = registry.add(machine="s390x", index=index)
    if index:
        with pytest.raises(SandboxUnavailable, match="not made for this engine's architecture"):
            shelf.images().ensure(name, Stop())
    else:  # some engines emulate others
        shelf.images().ensure(name, Stop())
        assert "is for linux/s390x" in caplog.text


def test_an_index_with_this_architecture(shelf: Shelf, registry: Registry) -> None:
    assert shelf.images().ensure(registry.add(index=True), Stop()).id.startswith("sha256:")


def test_never_pulls_where_it_must_not(shelf: Shelf, registry: Registry) -> None:
    name = registry.add()
    with pytest.raises(SandboxUnavailable) as caught:
        shelf.images(ImageSettings(pull="never")).ensure(name, Stop())
    assert f"docker pull {name}" in caught.value.hint
    with pytest.raises(SandboxUnavailable):
        shelf.images().ensure("troop/prepared:no-such", Stop())
    assert not shelf.engine.pulled


def test_a_pull_without_a_sign_of_life_is_begun_anew(shelf: Shelf, registry: Registry) -> None:
    name = registry.add()
    quiet = threading.Event()
    registry.before_blob = lambda: None if quiet.is_set() else quiet.wait(20) and None
    pace = replace(QUICK, stall_s=0.5)
    images = shelf.images(pace=pace)
    threading.Timer(1.2, quiet.set).start()
    assert images.ensure(name, Stop()).name == name
    assert len(shelf.engine.pulled) > 1


# Pulling ahead


def test_pulls_ahead_in_order_but_not_too_far(shelf: Shelf, registry: Registry) -> None:
    names = [registry.add() for _ in range(5)]
    images = shelf.images(ImageSettings(ahead=2))
    images.prefetch(names)
    eventually(lambda: shelf.engine.pulled == names[:2] and not shelf.engine.at_once)
    time.sleep(0.3)
    assert shelf.engine.pulled == names[:2]
    images.ensure(names[0], Stop())
    eventually(lambda: shelf.engine.pulled == names[:3])
    images.ensure(names[1], Stop())
    eventually(lambda: shelf.engine.pulled == names[:4])


def test_what_is_needed_now_goes_before_what_is_pulled_ahead(
    shelf: Shelf, registry: Registry
) -> None:
    names = [registry.add() for _ in range(3)]
    go = threading.Event()
    registry.before_blob = lambda: go.wait(20) and None  # type: ignore[func-returns-value]
    images = shelf.images(ImageSettings(at_once=1, ahead=3))
    images.prefetch(names)
    eventually(lambda: shelf.engine.pulled == names[:1])
    threading.Timer(0.3, go.set).start()
    images.ensure(names[2], Stop())
    assert shelf.engine.pulled[:2] == [names[0], names[2]]


def test_what_cannot_be_pulled_ahead_holds_nothing_up(shelf: Shelf, registry: Registry) -> None:
    names = [f"{registry.address}/troop-tests/none:x", registry.add()]
    images = shelf.images()
    images.prefetch(names)
    eventually(lambda: shelf.engine.has_image(names[1]))
    with pytest.raises(SandboxUnavailable, match="has no image"):
        images.ensure(names[0], Stop())


def test_nothing_is_pulled_ahead_onto_a_full_disk(shelf: Shelf, registry: Registry) -> None:
    name = registry.add()
    images = shelf.images(ImageSettings(high_percent=0))
    images.prefetch([name])
    time.sleep(0.5)
    assert not shelf.engine.pulled
    images.ensure(name, Stop())


# Making room


def test_the_longest_unused_of_ours_go_until_there_is_room(
    shelf: Shelf, registry: Registry
) -> None:
    """Measured as an engine on another machine is: by its layers, against a cap."""
    shelf.engine.remote = True
    names = [registry.add(size=300_000) for _ in range(3)]
    images = shelf.images()
    taken = [images.ensure(name, Stop()) for name in names]
    for image in (taken[1], taken[0], taken[2]):
        images.release(image)
    unlimited = ImageSettings(high_percent=0)
    shelf.images(unlimited).ensure(registry.add(), Stop())
    assert shelf.there(*names) == names
    settings = ImageSettings(remote_disk_gb=0.001, min_free_gb=0)
    shelf.images(settings).ensure(registry.add(), Stop())
    assert shelf.there(*names) == [names[0], names[2]]


@pytest.mark.parametrize(
    "kept", ["held", "container", "child", "retagged", "there before", "needed"]
)
def test_what_is_not_ours_or_is_in_use_stays(shelf: Shelf, registry: Registry, kept: str) -> None:
    name, after = registry.add(), registry.add()
    if kept == "there before":
        shelf.by_hand(name)
    images = shelf.images()
    image = images.ensure(name, Stop())
    if kept != "held":
        images.release(image)
    if kept in {"container", "child"}:
        container = shelf.container(name)
    if kept == "child":
        shelf.engine.commit(container, shelf.name("child"), ["LABEL a=b"])
        shelf.engine.remove(container)
    if kept == "retagged":
        shelf.tag(name, shelf.name("mine"))
    later = shelf.images(shelf.full())
    if kept == "needed":
        later = shelf.images(shelf.full(ahead=0))
        later.prefetch([name])
    later.ensure(after, Stop())
    assert shelf.there(name) == [name]
    images.close()
    if kept == "held":
        shelf.images(shelf.full()).ensure(registry.add(), Stop())
        assert shelf.there(name) == []


def test_an_image_under_another_id_is_not_ours_any_more(shelf: Shelf, registry: Registry) -> None:
    name, other = registry.add(), registry.add()
    images = shelf.images()
    images.release(images.ensure(name, Stop()))
    shelf.by_hand(other)
    shelf.tag(other, name)
    shelf.images(shelf.full()).ensure(registry.add(), Stop())
    assert shelf.there(name, other) == [name, other]


def test_images_that_troop_made_go_by_their_label_and_their_name(
    shelf: Shelf, registry: Registry
) -> None:
    made = shelf.make("made")
    mine = shelf.make("mine", home="troop-tests/mine")
    fresh = shelf.make("fresh", since=time.time())
    shelf.images(shelf.full()).ensure(registry.add(), Stop())
    assert shelf.there(made, mine, fresh) == [mine, fresh]
    images = shelf.images()
    images.hold(shelf.engine.image(fresh))
    shelf.images(shelf.full()).ensure(registry.add(), Stop())
    assert shelf.there(fresh) == [fresh]
    images.release(shelf.engine.image(fresh))
    shelf.images(shelf.full()).ensure(registry.add(), Stop())
    assert shelf.there(fresh) == []


@pytest.mark.parametrize("helps", [True, False])
def test_a_full_disk_makes_room_and_tries_again(
    shelf: Shelf, registry: Registry, helps: bool
) -> None:
    old, new = registry.add(), registry.add()
    images = shelf.images()
    if helps:
        images.release(images.ensure(old, Stop()))
    shelf.engine.fail = NoSpace("Docker's disk is full", hint="Make room")
    if helps:
        images.ensure(new, Stop())
        assert shelf.there(old, new) == [new]
    else:
        with pytest.raises(SandboxUnavailable, match="disk is full"):
            images.ensure(new, Stop())
