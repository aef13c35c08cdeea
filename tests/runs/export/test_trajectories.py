"""Trajectories for other viewers: what was said to the letter, and what it cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runs.export.atif import atif_document
from runs.export.mini import exit_statuses, mini_documents
from runs.export.trace import fenced, trace
from tests.support.atif import faults
from tests.support.views import view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runs.store.story import Story


def told(exported, run: str) -> tuple[Story, str]:
    """An instance and its patch."""
    story = exported.story(run)
    return story, story.patch


RUNS = ["priced", "unpriced", "replayed", "cancelled", "unsolved"]


def messages_of(document: dict[str, Any]) -> list[dict[str, str]]:
    """The conversation of an embedded subagent, as it would be sent."""
    roles = {"system": "system", "user": "user", "agent": "assistant"}
    return [{"role": roles[s["source"]], "content": s["message"]} for s in document["steps"]]


def sent_by(document: dict[str, Any]) -> Iterator[list[dict[str, str]]]:
    """Every request that the conversations of a mini trajectory stand for."""
    talk: list[dict[str, str]] = []
    for message in document["messages"]:
        if message["role"] == "system":
            talk = []
        if message["role"] == "assistant":
            yield list(talk)
        talk.append({"role": message["role"], "content": message["content"]})


def test_mini_holds_every_message_as_it_was_sent(exported):
    files = mini_documents(*told(exported, "priced"))
    assert list(files)[:2] == ["calc", "sample-1"]
    asked = {json.dumps(body["messages"]) for body in exported.bodies}
    for document in files.values():
        for request in sent_by(document):
            assert json.dumps(request) in asked
    others = [document for stem, document in files.items() if stem != "calc"]
    written = {json.dumps(request) for document in others for request in sent_by(document)}
    assert written == asked


def test_atif_holds_every_message_as_it_was_sent(exported):
    document = atif_document(*told(exported, "priced"))
    talks = [messages_of(each) for each in document["subagent_trajectories"]]
    asked = [body["messages"] for body in exported.bodies]
    assert all(any(talk[: len(sent)] == sent for talk in talks) for sent in asked)
    replies = sum(message["role"] == "assistant" for talk in talks for message in talk)
    assert replies == sum(body.get("n") or 1 for body in exported.bodies)


@pytest.mark.parametrize("run", RUNS)
def test_atif_keeps_the_rules_of_its_format(exported, run):
    document = atif_document(*told(exported, run))
    assert faults(document) == []
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize("run", RUNS)
def test_mini_has_the_shape_that_its_readers_know(exported, run):
    story = exported.story(run)
    for document in mini_documents(story, story.patch).values():
        assert document["trajectory_format"] == "mini-swe-agent-1.1"
        assert document["instance_id"] == "calc"
        assert {"model_stats", "config", "exit_status", "submission"} <= document["info"].keys()
        assert document["messages"][0]["role"] == "system"
        assert all(isinstance(m["content"], str) for m in document["messages"])
    main = mini_documents(story, story.patch)["calc"]
    assert main["messages"][-1]["role"] == "exit"
    assert main["info"]["submission"] == main["messages"][-1]["content"] == story.patch


def test_the_main_trajectory_is_that_of_the_patch(exported):
    story = exported.story("priced")
    main = mini_documents(story, story.patch)["calc"]
    keys = dict.fromkeys(m["extra"]["trajectory"] for m in main["messages"][:-1])
    assert list(keys) == ["sample-1/testing", "sample-1/editing", "selection"]
    assert main["info"]["exit_status"] == "Submitted"
    assert "if ordered else 0.0" in main["info"]["submission"]
    ran = [m for m in main["messages"] if m["extra"].get("executions")]
    assert {e["purpose"] for m in ran for e in m["extra"]["executions"]} >= {"before", "after"}


def test_a_call_for_several_replies_is_counted_once(exported):
    story = exported.story("priced")
    with exported.world.reader() as reader:
        stages = view(reader, "cost_by_stage", run="priced")
    total = atif_document(story, story.patch)["final_metrics"]
    for column in ("prompt_tokens", "completion_tokens", "cached_tokens"):
        assert total[f"total_{column}"] == sum(stage[column] for stage in stages)
    assert total["total_cost_usd"] == pytest.approx(sum(stage["cost_usd"] for stage in stages))
    assert total["extra"]["model_calls"] == sum(stage["calls"] for stage in stages)
    stats = mini_documents(story, story.patch)["calc"]["info"]["model_stats"]
    assert stats["instance_cost"] == pytest.approx(total["total_cost_usd"])
    subagents = {
        s["trajectory_id"]: s for s in atif_document(story, story.patch)["subagent_trajectories"]
    }
    first = subagents["sample-1/testing"]["steps"][2]
    assert (first["llm_call_count"], first["extra"]["replies_in_call"]) == (1, 4)
    second = subagents["sample-2/testing"]["steps"][2]
    assert second["extra"]["counted_in"] == "sample-1/testing"
    assert not {"metrics", "llm_call_count"} & second.keys()


@pytest.mark.parametrize("run", ["unpriced", "replayed"])
def test_a_cost_that_is_not_known_is_absent(exported, run):
    story = exported.story(run)
    document = atif_document(story, story.patch)
    assert "cost_usd" not in json.dumps(document)
    assert document["final_metrics"]["total_prompt_tokens"] > 0
    files = mini_documents(story, story.patch)
    assert '"cost"' not in json.dumps(files)
    assert '"instance_cost"' not in json.dumps(files)
    replies = [m for m in files["calc"]["messages"] if m["role"] == "assistant"]
    assert {m["extra"]["replayed"] for m in replies} == {run == "replayed"}


def test_files_of_whoever_ran_it_are_not_named(exported):
    story = exported.story("replayed")
    assert story.run.config["replay"] == "replies.jsonl"
    written = json.dumps([atif_document(story, story.patch), mini_documents(story, story.patch)])
    assert "replies.jsonl" not in written
    assert '"samples.count": 4' in written


def test_an_instance_that_never_ended_is_reported_as_such(exported):
    story = exported.story("cancelled")
    assert story.patch == ""
    files = mini_documents(story, story.patch)
    assert set(files) == {"calc", "relevance", "ranking"}
    assert files["calc"]["info"]["exit_status"] != "Submitted"
    keys = {m["extra"]["trajectory"] for m in files["calc"]["messages"][:-1]}
    assert "ranking-1" in keys
    assert "relevance/calc/ops.py" in keys
    document = atif_document(story, story.patch)
    assert document["extra"]["status"] == story.instance.status
    assert document["steps"][-1]["message"].startswith(f"End: {story.instance.status}")


def test_an_empty_reply_shows_what_was_sent_back(exported):
    story = exported.story("unsolved")
    assert exit_statuses([story.instance]) == (
        'instances_by_exit_status:\n  no_patch:\n  - "calc"\n'
    )
    (talk,) = [t for t in story.conversations if t.key == "sample-1/editing"]
    assert {turn.reply for turn in talk.turns} == {""}
    messages = mini_documents(story, story.patch)["sample-1"]["messages"]
    empty = [m for m in messages if m["role"] == "assistant" and not m["content"]]
    assert len(empty) == len(talk.turns)
    assert {m["extra"]["sent_back_as"] for m in empty} == {"(empty reply)"}


def test_reasoning_is_separate_and_unknown_tokens_are_absent(exported):
    story = exported.story("unsolved")
    document = atif_document(story, story.patch)
    (talk,) = [
        s for s in document["subagent_trajectories"] if s["trajectory_id"].endswith("1/editing")
    ]
    replies = [step for step in talk["steps"] if step["source"] == "agent"]
    assert {step["reasoning_content"] for step in replies} == {"It is hard."}
    assert not any("metrics" in step for step in replies)
    assert set(talk["final_metrics"]) == {"total_steps", "extra"}
    assert set(document["final_metrics"]) == {"total_steps", "extra"}
    assert "thinking:" in trace(story, story.patch)
    message = mini_documents(story, story.patch)["sample-1"]["messages"][-1]
    assert message["reasoning_content"] == "It is hard."
    assert "usage" not in message["extra"]["response"]


def test_the_trace_can_be_read_from_top_to_bottom(exported):
    story = exported.story("priced")
    text = trace(story, story.patch)
    order = ["# calc", "## The issue", "## Which files matter", "## The context", "## Sample 1"]
    order += ["### Testing", "### Editing", "## Sample 4", "## Votes", "## Selection", "## The pat"]
    places = [text.index(heading) for heading in order]
    assert places == sorted(places)
    for talk in story.conversations:
        for turn in talk.turns:
            if talk.kind != "relevance":
                assert turn.reply.rstrip() in text
    assert text.count(story.issue) == 2  # by itself, and where files are ranked
    assert "as in ranking-1." in text
    assert "as in sample-1/testing." in text
    assert "no reply" not in text
    assert "There is none." in trace(*told(exported, "unsolved"))


def test_a_fence_is_longer_than_any_in_the_text():
    assert fenced("a\n````\nb") == "`````\na\n````\nb\n`````"
