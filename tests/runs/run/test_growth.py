"""More samples for a run that is there: the same as if all had been bought at once."""

import pytest

from tests.support import scripted_model
from tests.support.model_server import ModelServer
from tests.support.views import view
from tests.support.world import World

pytestmark = pytest.mark.slow


def in_turn():
    """The scripted model; the first tests come in turn, however many are asked for at once."""
    given = 0

    def answer(body: dict) -> str | list[str]:
        nonlocal given
        messages = body["messages"]
        if "# Your task: write a test script" not in messages[1]["content"] or len(messages) > 2:
            return scripted_model.answer(body)
        count = body.get("n") or 1
        given += count
        return scripted_model.FIRST_TESTS[given - count : given]

    return answer


VIEWS = {
    "samples": "sample, outcome, test, candidate, script, interpreter, suffix, diff, patch",
    "candidates": "candidate, place, chosen, finalist, samples, sources, agreement, diff, patch",
    "tests": "test, kind, label, flaky, discriminates, samples, sources, script, interpreter",
    "votes": "candidate, test, verdict, broken",
    "instances": "status, samples, chosen, reason, patch, context_files",
    "turns": "trajectory, turn, prompt, reply",
}


def contents(world: World) -> dict[str, list[tuple]]:
    with world.reader() as reader:
        return {
            name: sorted(
                tuple(map(repr, (row[column] for column in columns.split(", "))))
                for row in view(reader, name)
                if "-of-" not in str(row.get("trajectory"))
            )
            for name, columns in VIEWS.items()
        }


@pytest.mark.parametrize(
    ("selector", "talks"),
    [
        ("selection", ["selection", "selection-of-3"]),
        ("model", ["judge", "judge-of-3"]),
        ("regression", []),
    ],
)
async def test_ten_more_are_the_same_as_all_at_once(tmp_path, selector, talks):
    settings = {"selection__selector": selector}
    worlds = []
    for name, counts in (("grown", (3, 4)), ("whole", (4,))):
        with ModelServer(in_turn()) as server:
            (tmp_path / name).mkdir()
            world = World(tmp_path / name, server.base_url)
            for count in counts:
                await world.solve(samples__count=count, **settings)
            again = len(server.requests)
            await world.solve(samples__count=3, **settings)  # keeps what was bought
            assert len(server.requests) == again
            worlds.append(world)
    grown, whole = map(contents, worlds)
    assert len(grown["samples"]) == 4
    assert grown == whole
    with worlds[0].reader() as reader:
        assert len(view(reader, "runs")) == 1
        kinds = {row["trajectory"]: row["kind"] for row in view(reader, "trajectories")}
        kept = [key for key, kind in kinds.items() if kind in {"selection", "judge"}]
        assert sorted(kept) == talks
