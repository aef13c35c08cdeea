"""Trajectories in the Agent Trajectory Interchange Format, version 1.7 (Harbor's RFC 0001).

One document for each instance. Its own steps are Troop's: deterministic, without a
model call (`llm_call_count` 0). Each model conversation is an embedded subagent
(`subagent_trajectories`), referred to from the step that began it. What is unknown
(a cost, tokens) is absent. A call that served several trajectories is counted in one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.conversation import NO_TEXT
from agent.journal import Kind
from runs.export.charges import Charges, cost
from runs.export.mini import execution
from runs.export.wording import happened, voted, why_chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runs.export.charges import Charge
    from runs.store.conversations import StoredConversation, Turn
    from runs.store.records import CallRecord
    from runs.store.story import Story

SCHEMA = "ATIF-v1.7"
NOTES = (
    "The steps of this document are Troop's own and call no model; its conversations with the model"
    " are the subagents. A call that asked for several replies is counted in the first trajectory"
    " that it served; the others name it in extra.counted_in. A cost or a count of tokens that is"
    " not known is absent; so is the cost of replayed calls, which cost nothing now."
)

_SAMPLES = "Draw samples: each writes a test, then an edit."
_VOTES = "Run every test on every candidate, and count votes."
_ABOUT: Mapping[Kind, str] = {
    Kind.RELEVANCE: "Let a model say of each source file whether it may matter.",
    Kind.RANKING: "Rank the files that may matter, and fill the context with them.",
    Kind.TESTING: _SAMPLES,
    Kind.EDITING: _SAMPLES,
    Kind.MATRIX: _VOTES,
    Kind.SELECTION: "Let a trajectory tell the best candidates apart.",
    Kind.JUDGE: "Let a model choose from the diffs alone.",
}
"""The step that begins a kind of trajectory. Kinds with the same text share a step."""

Document = dict[str, Any]


def atif_document(story: Story, patch: str) -> Document:
    """One instance, with every trajectory embedded. `patch` is the exported patch."""
    talks = story.conversations
    charges = Charges(talks)
    steps: list[Document] = [{"source": "user", "message": story.issue}]
    for about in dict.fromkeys(_ABOUT[kind] for kind in Kind):
        begun = [talk for talk in talks if _ABOUT[talk.kind] == about]
        if about == _VOTES and story.votes:
            steps.append(_said(about, voted(story.vote_grid)))
        elif about != _VOTES and begun:
            steps.append(_dispatch(about, begun))
    steps.append(_said(f"End: {why_chosen(story)}.", patch))
    return {
        "schema_version": SCHEMA,
        "session_id": f"{story.run.name}/{story.name}",
        "trajectory_id": story.name,
        "agent": {**_agent(story, "troop"), "extra": {"config": story.run.settings}},
        "steps": _numbered(steps),
        "notes": NOTES,
        "final_metrics": _metrics(charges.total(talks), len(steps)),
        "extra": _about(story, patch),
        "subagent_trajectories": [_subagent(story, talk, charges) for talk in talks if talk.turns],
    }


def _agent(story: Story, name: str) -> Document:
    return {
        "name": name,
        "version": story.run.troop_version,
        "model_name": story.run.model,
    }


def _about(story: Story, patch: str) -> Document:
    instance = story.instance
    return {
        "instance_id": story.name,
        "repo": instance.repo,
        "base_commit": instance.base_commit,
        "image": instance.image,
        "status": instance.status,
        "error": instance.error,
        "chosen": instance.chosen,
        "reason": instance.reason,
        "context_files": list(instance.context_files),
        "patch": patch,
        "replayed": story.run.replayed,
    }


def _dispatch(about: str, talks: Sequence[StoredConversation]) -> Document:
    """A step that begins trajectories. A trajectory without a reply has no document to refer to."""
    results = []
    for talk in talks:
        result: Document = {"content": f"{talk.key}: {happened(talk)}"}
        if talk.turns:
            result["subagent_trajectory_ref"] = [{"trajectory_id": talk.key}]
        results.append(result)
    return _step(about, results)


def _said(about: str, content: str) -> Document:
    return _step(about, [{"content": content}])


def _step(about: str, results: list[Document]) -> Document:
    observation = {"results": results}
    return {"source": "agent", "message": about, "observation": observation, "llm_call_count": 0}


def _subagent(story: Story, talk: StoredConversation, charges: Charges) -> Document:
    steps: list[Document] = [{"source": "system", "message": talk.system}]
    for number, turn in enumerate(talk.turns):
        prompt = turn.prompt if number else talk.prefix + turn.prompt
        steps += [{"source": "user", "message": prompt}, _reply(turn, charges)]
    return {
        "schema_version": SCHEMA,
        "trajectory_id": talk.key,
        "agent": {
            **_agent(story, f"troop-{talk.kind}"),
            "model_name": talk.turns[0].record.call.model,
        },
        "steps": _numbered(steps),
        "final_metrics": _metrics(charges.total([talk]), len(steps)),
        "extra": {
            "kind": talk.kind,
            "sample": talk.trajectory.sample,
            "outcome": talk.trajectory.outcome,
        },
    }


def _reply(turn: Turn, charges: Charges) -> Document:
    call = turn.record.call
    extra: Document = {
        "finish_reason": turn.record.finish,
        "duration_s": call.duration_s,
        "attempts": call.attempts,
        "replayed": call.replayed,
    }
    if not turn.reply.strip():
        extra["sent_back_as"] = NO_TEXT
    step: Document = {
        "source": "agent",
        "model_name": call.model,
        "message": turn.reply,
        "timestamp": call.created_at.isoformat(),
    }
    if turn.reasoning:
        step["reasoning_content"] = turn.reasoning
    if not charges.counts(turn.record):
        extra["counted_in"] = charges.leader(turn.record)
    else:
        step["llm_call_count"] = 1
        if call.n > 1:
            extra["replies_in_call"] = call.n
        if used := _used(call):
            step["metrics"] = used
    if turn.executions:
        results = [
            {"content": seen.execution.output, "extra": execution(seen)} for seen in turn.executions
        ]
        step["observation"] = {"results": results}
    return {**step, "extra": extra}


def _used(call: CallRecord) -> Document:
    return _known(
        {
            "prompt_tokens": call.prompt_tokens,
            "completion_tokens": call.completion_tokens,
            "cached_tokens": call.cached_tokens,
            "cost_usd": cost(call),
        }
    )


def _known(values: Document) -> Document:
    return {name: value for name, value in values.items() if value is not None}


def _numbered(steps: list[Document]) -> list[Document]:
    return [{"step_id": number, **step} for number, step in enumerate(steps, 1)]


def _metrics(total: Charge, steps: int) -> Document:
    used = {
        "total_prompt_tokens": total.prompt_tokens,
        "total_completion_tokens": total.completion_tokens,
        "total_cached_tokens": total.cached_tokens,
        "total_cost_usd": total.cost_usd,
    }
    return {**_known(used), "total_steps": steps, "extra": {"model_calls": total.calls}}
