"""The whole pipeline over a real HTTP server and a real database."""

from io import StringIO

import pytest
from rich.console import Console

from agent import context, prompting
from agent.model import ModelUnavailable
from data.errors import SandboxUnavailable, StoreError
from data.predictions.predictions import Prediction
from runs.cli.shared.ending import exit_code
from runs.run import batch
from runs.run.batch import Outside, Tally
from runs.run.session import Finished
from runs.show.instance import instance_report
from runs.store.registry import Status
from tests.support import scripted_model
from tests.support.model_server import ModelServer, refuse
from tests.support.views import view
from tests.support.world import World

pytestmark = pytest.mark.slow


@pytest.fixture
def server():
    with ModelServer(scripted_model.answer) as running:
        yield running


@pytest.fixture
def world(tmp_path, server):
    return World(tmp_path, server.base_url)


async def test_an_issue_goes_in_and_the_right_patch_comes_out(world, server):
    finished = await world.solve()
    assert finished.tally.status is Status.FINISHED
    with world.reader() as reader:
        row = reader.instance(finished.run, "calc")
        assert row.status == "patched"
        assert row.reason == "selection"
        assert "if ordered else 0.0" in reader.text(row.patch)
        samples = {s["sample"]: s for s in view(reader, "samples", run=finished.run)}
        assert [samples[n]["outcome"] for n in (1, 2, 3, 4)] == [
            "done",
            "done",
            "done",
            "no_edit",
        ]
        assert samples[1]["candidate"] == samples[2]["candidate"] != samples[3]["candidate"]
        candidates = view(reader, "candidates", run=finished.run)
        assert len(candidates) == 2
        votes = view(reader, "votes", run=finished.run)
        assert len(votes) == 3 * len(view(reader, "tests", run=finished.run))
        page = StringIO()
        Console(file=page, width=120).print(instance_report(reader.story(row)))
        assert "candidate 2" in page.getvalue()


async def test_conversations_with_the_same_opening_share_a_request(world, server):
    await world.solve()
    shared = [body["n"] for body in server.requests if body.get("n")]
    assert shared == [3, 4]  # three rankings, four tests


async def test_the_context_stands_first_and_is_the_same_for_every_trajectory(world, server):
    await world.solve()
    openings = [b["messages"][1]["content"] for b in server.requests]
    openings = [text for text in openings if "# Your task: " in text and "rank" not in text]
    heads = {text.partition("# Your task: ")[0] for text in openings}
    assert len(heads) == 1
    systems = {
        b["messages"][0]["content"]
        for b in server.requests
        if b["messages"][1]["content"].startswith(next(iter(heads)))
    }
    assert len(systems) == 1
    assert '<file path="calc/ops.py">' in heads.pop()


async def test_identical_pairs_are_run_once(world):
    await world.solve(selection__repeats=0)
    assert len(world.sandbox.executed) == len(set(world.sandbox.executed))


async def test_a_finished_run_asks_for_nothing_again(world, server):
    first = await world.solve()
    calls, executed = len(server.requests), len(world.sandbox.executed)
    second = await world.solve()
    assert second.run == first.run
    assert (len(server.requests), len(world.sandbox.executed)) == (calls, executed)


async def test_fresh_begins_anew_and_another_configuration_is_another_run(world):
    first = await world.solve()
    fresh = await world.solve(job={"fresh": True})
    other = await world.solve(samples__temperature=0.1)
    assert len({first.run, fresh.run, other.run}) == 3


async def test_many_instances_in_parallel(world):
    finished = await world.solve("a", "b", "c", batch__instances=2)
    with world.reader() as reader:
        rows = view(reader, "instances", run=finished.run)
        assert [row["status"] for row in rows] == ["patched"] * 3
        assert len({reader.text(row["patch"]) for row in rows}) == 1
        costs = view(reader, "cost_by_stage", run=finished.run)
        assert {row["stage"] for row in costs} >= {"relevance", "testing", "editing", "selection"}


async def test_a_server_without_n_gets_one_request_for_each_reply(tmp_path):
    def one(body: dict) -> str | list[str]:
        given = scripted_model.answer(body)
        return given[0] if isinstance(given, list) else given

    with ModelServer(one) as server:
        world = World(tmp_path, server.base_url)
        finished = await world.solve()
        with world.reader() as reader:
            assert len(view(reader, "samples", run=finished.run)) == 4
            assert reader.instance(finished.run, "calc").status == "patched"


def without_choice(body: dict) -> str | list[str]:
    """The scripted model, but for a selection trajectory that never chooses."""
    if "# Your task: choose" in body["messages"][1]["content"]:
        return "I cannot decide."
    return scripted_model.answer(body)


def lost_in_selection(body: dict) -> object:
    """The scripted model, until the conversation of the selection is too long."""
    if "# Your task: choose" in body["messages"][1]["content"]:
        return refuse(400, "This model's maximum context length is 10 tokens.")
    return scripted_model.answer(body)


@pytest.mark.parametrize(
    ("answer", "ended"),
    [(without_choice, "out_of_turns"), (lost_in_selection, "context_exceeded")],
)
async def test_without_a_usable_choice_the_votes_order_decides(tmp_path, answer, ended):
    with ModelServer(answer) as server:
        world = World(tmp_path, server.base_url)
        finished = await world.solve(selection__turns=2)
    with world.reader() as reader:
        row = reader.instance(finished.run, "calc")
        assert (row.status, row.reason, row.chosen) == ("patched", "fallback", 1)
        (talk,) = view(reader, "trajectories", kind="selection")
        assert talk["outcome"] == ended


async def test_without_turns_for_selection_the_vote_decides(world, server):
    finished = await world.solve(selection__selector="regression")
    with world.reader() as reader:
        assert reader.instance(finished.run, "calc").reason == "vote"


async def test_an_only_candidate_is_not_discussed(world, server):
    finished = await world.solve(samples__count=1)
    with world.reader() as reader:
        assert reader.instance(finished.run, "calc").reason == "only_candidate"
        assert view(reader, "trajectories", kind="selection") == []


async def test_a_changed_prompt_is_reported_when_a_run_is_resumed(world, server, monkeypatch):
    monkeypatch.setattr(batch, "solve_instance", stop_after_context)
    with pytest.raises(ModelUnavailable):
        await world.solve()
    monkeypatch.undo()
    changed = prompting.render
    monkeypatch.setattr(context, "render", lambda name, **v: changed(name, **v) + " Changed.")
    with pytest.raises(StoreError, match="was recorded for another request"):
        await world.solve()


async def stop_after_context(bench, config, *_rest, **_more):
    await context.ContextReader(bench, config.context, config.model.name).gather()
    raise ModelUnavailable("gone")


async def test_without_editing_turns_samples_write_tests_for_candidates_from_elsewhere(world):
    before = "    return sum(values) / len(values)\n"
    diff = (
        "--- a/calc/ops.py\n+++ b/calc/ops.py\n@@ -1,3 +1,3 @@\n def mean(values):\n"
        f"-{before}+{before.rstrip()} if values else 0.0\n \n"
    )
    outside = {"calc": [Prediction("calc", "elsewhere", diff)]}
    await world.solve(samples__strategy="tests-only", job={"outside": Outside(outside)})
    with world.reader() as reader:
        kinds = {row["kind"] for row in view(reader, "trajectories")}
        samples = view(reader, "samples")
        candidates = view(reader, "candidates")
    assert "editing" not in kinds
    assert {row["outcome"] for row in samples} == {"done"}
    assert all(row["script"] and not row["diff"] for row in samples)
    assert [row["sources"] for row in candidates] == ["elsewhere"]


async def test_a_file_that_is_too_large_is_named_before_any_call_and_can_be_read(world, server):
    world.sandbox.files["vast.py"] = "# x\n" * 300_000
    world.sandbox.files["tests/test_vast.py"] = world.sandbox.files["vast.py"]
    await world.solve("one", "two", samples__count=1)
    said = " ".join(world.printed.getvalue().split())
    assert said.count("neither read nor edited: vast.py (1,200,000 bytes). To") == 1
    assert said.index("vast.py") < said.index("reading 3 files")
    assert not any("# x\n# x" in str(body["messages"]) for body in server.requests)
    await world.solve("one", samples__count=1, context__largest_file=1_200_000)
    assert any("# x\n# x" in body["messages"][-1]["content"] for body in server.requests)
    assert " ".join(world.printed.getvalue().split()).count("neither read") == 1


async def test_a_repository_without_source_says_so(world):
    world.sandbox.files = {"notes.txt": "nothing\n"}
    await world.solve(samples__count=1)
    assert "is source code, so the model is shown no files." in " ".join(
        world.printed.getvalue().split()
    )


async def test_a_failure_of_one_instance_is_reported_at_the_end_of_the_command(world, monkeypatch):
    async def closed(*given, **named):
        raise SandboxUnavailable("There is no image.", hint="Name another.")

    monkeypatch.setattr(world.sandbox, "open", closed)
    finished = await world.solve("one")
    assert finished.tally.errors["one"].message == "There is no image."
    assert "There is no image." not in world.printed.getvalue()
    await world.solve("two", "three")
    assert world.printed.getvalue().count("There is no image.") == 2


def test_a_hint_is_shown_once_however_many_instances_failed(capsys):
    errors = {name: SandboxUnavailable(f"No {name}.", hint="Name another.") for name in "abc"}
    tally = Tally(Status.FAILED, errors)
    assert exit_code(Finished("run", tally), patched=False) == 3
    said = capsys.readouterr().err
    assert [said.count(each) for each in ("No a.", "No b.", "No c.", "Name another.")] == [1] * 4
