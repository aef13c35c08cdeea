"""Notes that are equal but for the instance are counted, not repeated."""

from tests.runs.show.watching import Watched

IDS = [f"project__project-{number}" for number in range(500)]


def noted(*notes: str) -> list[str]:
    watched = Watched(*IDS)
    before = len(watched.printed)
    with watched.display as display:
        for note in notes:
            display.note(note)
    return watched.printed[before:]


def test_a_note_of_every_instance_comes_once_with_its_count():
    for note in (
        "{}: the candidate of x is left out: It does not apply.",
        "The image sweb.eval.{}:latest is for arm64, the engine for amd64.",
        "Container 0123456789ab of {} stays.",
    ):
        printed = noted(*(note.format(name) for name in IDS))
        assert printed == [note.format(IDS[0]), f"499 more like this: {note.format(IDS[0])}"]


def test_images_and_digests_do_not_tell_notes_apart():
    printed = noted(
        *(
            f"Image {name.replace('__', '_1776_')} at {n:064x} is gone."
            for n, name in enumerate(IDS)
        )
    )
    assert len(printed) == 2


def test_notes_that_say_something_else_all_come():
    notes = [
        f"{IDS[0]}: it is left out: {reason}" for reason in ("no", "not so", "not 12", "not 13")
    ]
    assert noted(*notes) == notes


def test_a_short_id_is_not_removed_from_within_words():
    watched = Watched("a", "calc")
    before = len(watched.printed)
    for note in ("a cat", "c ct", "calc is", "calculus is"):
        watched.display.note(note)
    assert watched.printed[before:] == ["a cat", "c ct", "calc is", "calculus is"]
