"""What a person sees of a run on the way."""

import pytest

from agent.journal import Kind, TrajectoryId
from agent.observer import Doing, Effect, Stage
from agent.outcome import Outcome
from runs.store.registry import Status
from tests.runs.show.watching import Watched, of_sample
from tests.support import scripted_model
from tests.support.model_server import ModelServer
from tests.support.world import World

pytestmark = pytest.mark.slow

PULLING = ["pulling a/b:1: 1 of 9 MB", "pulling a/b:1: 5 of 9 MB", "preparing the image", ""]
MATRIX = TrajectoryId("matrix", Kind.MATRIX)
SIZES = [(1, 1), (3, 2), (20, 5), (40, 12), (79, 24), (120, 24), (200, 60)]


def test_what_an_instance_waits_for_is_shown():
    for others in ([], ["b"]):  # one instance is shown in another way than many
        watched = Watched("a", *others)
        watched.display.opening("a", PULLING[1])
        assert "pulling a/b:1: 5 of 9 MB" in "\n".join(watched.screen())


@pytest.mark.slow
async def test_in_plain_lines_it_is_told_once(tmp_path):
    with ModelServer(scripted_model.answer) as server:
        world = World(tmp_path, server.base_url)
        world.sandbox.waits_for = PULLING
        await world.solve()
    printed = world.printed.getvalue()
    assert printed.count("calc: pulling a/b:1") == 1
    assert printed.count("calc: preparing the image") == 1
    assert "of 9 MB" not in printed


@pytest.mark.parametrize("doing", [doing for doing in Doing if doing is not Doing.OVER])
def test_different_waits_of_a_sample_are_shown_with_their_times(doing):
    watched = Watched("a", samples=2)
    effect = Effect([of_sample(2, Kind.EDITING)])
    watched.observers["a"].turn(of_sample(2, Kind.EDITING), 3)
    watched.observers["a"].doing(effect, Doing.CALL_SLOT)
    watched.seconds = 10
    watched.observers["a"].doing(effect, doing)
    watched.seconds = 51
    assert watched.row("editing, turn 3").rstrip().endswith(f"{doing} 41 s")
    watched.observers["a"].doing(effect, Doing.OVER)
    assert str(doing) not in watched.row("editing, turn 3")


def test_repeats_are_a_stage_of_their_own():
    watched = Watched("a")
    observer = watched.observers["a"]
    observer.stage(Stage.MATRIX, 28)
    for _ in range(28):
        observer.step(Stage.MATRIX)
    observer.stage(Stage.REPEATS, 40)
    observer.doing(Effect([MATRIX]), Doing.SCRIPT)
    for _ in range(12):
        observer.step(Stage.REPEATS)
    watched.seconds = 3
    assert "matrix 28/28  repeats 12/40" in watched.row("a  ")
    assert "running a script 3 s" in "\n".join(watched.screen())
    assert "a: repeating tests that count" in "\n".join(watched.printed)
    watched.seconds = 63
    watched.display.beat()
    assert watched.printed[-1] == "a: repeating tests that count: 12 of 40; running a script 63 s"


def test_no_stage_reads_as_if_it_were_over_when_it_begins():
    watched = Watched("a")
    for stage in Stage:
        watched.observers["a"].stage(stage, 77)
        said = watched.printed[-1]
        assert said != f"a: {stage}, 77 votes"
        assert any(word in said for word in ("ing ", "begin", "at most", "to come")), said


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_is_done_in_every_trajectory_has_the_mark_of_it(outcome):
    for ends in ("testing", "editing"):
        watched = Watched("a", samples=1)
        observer = watched.observers["a"]
        testing, editing = (
            outcome if ends == kind else Outcome.DONE for kind in ("testing", "editing")
        )
        observer.turn(of_sample(1, Kind.TESTING), 1)
        observer.trajectory_ended(of_sample(1, Kind.TESTING), testing)
        observer.trajectory_ended(of_sample(1, Kind.EDITING), editing)
        observer.sample(1, editing)
        row = watched.screen()[-2]
        assert ("✔" in row) == (outcome is Outcome.DONE)
        assert outcome.value.replace("_", " ") in row
        assert outcome.value.replace("_", " ") in watched.printed[-1]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("ids", [1, 200])
def test_in_any_size_what_matters_most_is_there_and_nothing_is_wrapped(width, height, ids):
    watched = Watched(*(f"project__project-{n}" for n in range(ids)), samples=30)
    for observer in watched.observers.values():
        for number in range(1, 31):
            observer.turn(of_sample(number, Kind.TESTING), 1)
            observer.doing(Effect([of_sample(number, Kind.TESTING)]), Doing.MODEL)
    screen = watched.screen(width, height)
    assert len(screen) <= height
    assert all(len(line) <= width for line in screen)
    if width >= 20:
        assert f"0/{ids} instance" in screen[0]
        assert "waiting" in "\n".join(screen) or width < 40
    if width >= 79:
        shown = sum("project__project" in line for line in screen)
        assert shown == 1 if ids == 1 else shown > height // 2
        assert any("more" in line for line in screen) or height > 30 * ids


def test_retries_are_reported_once_a_minute_however_many_calls_fail():
    watched = Watched("a")
    for second in range(61):
        watched.seconds = second
        watched.display.retrying("HTTP 503: busy", 20.0)
    assert sum("HTTP 503" in line for line in watched.printed) == 2


def test_what_a_stop_waits_for_counts_down_on_the_screen_and_slowly_in_lines():
    watched = Watched("a")
    for second in range(21):
        watched.seconds = second
        watched.display.stopping(f"waiting for 3 calls, {60 - second} s at most")
    told = [line for line in watched.printed if "3 calls" in line]
    assert [line.split(", ")[1] for line in told] == [
        "60 s at most",
        "50 s at most",
        "40 s at most",
    ]
    assert "waiting for 3 calls, 40 s at most" in "\n".join(watched.screen())
    watched.display.stopping("")
    assert "3 calls" not in "\n".join(watched.screen())


def test_a_minute_without_news_brings_a_line_and_news_put_it_off():
    watched = Watched("a", samples=5)
    observer = watched.observers["a"]
    effect = Effect([of_sample(3, Kind.EDITING)])
    observer.turn(of_sample(3, Kind.EDITING), 2)
    observer.doing(effect, Doing.MODEL)
    before = len(watched.printed)
    for watched.seconds in range(1, 60):
        watched.display.beat()
    assert len(watched.printed) == before
    for watched.seconds in range(60, 600):
        watched.display.beat()
    beats = watched.printed[before:]
    assert beats[:2] == [
        "a: samples ended: 0 of 5; waiting for the model 60 s",
        "sample 3, editing, turn 2: waiting for the model 60 s",
    ]
    assert len(beats) == 18


def test_many_instances_do_not_flood_the_lines():
    ids = [f"p__p-{number}" for number in range(500)]
    watched = Watched(*ids, samples=10)
    for observer in watched.observers.values():
        for number in range(1, 11):
            observer.turn(of_sample(number, Kind.TESTING), 1)
            observer.doing(Effect([of_sample(number, Kind.TESTING)]), Doing.MODEL)
    before = len(watched.printed)
    watched.seconds = 60
    watched.display.beat()
    assert len(watched.printed) - before <= 6
    for name, observer in watched.observers.items():
        for number in range(1, 11):
            observer.sample(number, Outcome.DONE if number < 9 else Outcome.OUT_OF_TURNS)
        watched.display.ended(name, Status.PATCHED, "")
    assert "p__p-7: samples ended: 8 done, 2 out of turns" in watched.printed
    assert len(watched.printed) < 4 * len(ids)


@pytest.mark.slow
async def test_between_ranking_and_the_first_sample_done_there_is_a_line(tmp_path):
    with ModelServer(scripted_model.answer) as server:
        world = World(tmp_path, server.base_url)
        await world.solve()
    lines = [line.split("s  ", 1)[-1] for line in world.printed.getvalue().splitlines()]
    places = [
        next(n for n, line in enumerate(lines) if line.startswith(f"calc: {said}"))
        for said in (
            "reading 3 files",
            "ranking",
            "4 samples begin",
            "sample 1: testing begins",
            "sample 1: editing begins",
            "sample 1 ended: done",
            "samples ended: ",
            "running every test on every candidate",
            "repeating tests that count",
            "the selection trajectory begins",
        )
    ]
    assert places == sorted(places)
