"""Trajectories in the Agent Trajectory Interchange Format, version 1.7 (Harbor's RFC 0001).

One document for each instance. Its own steps are Troop's: deterministic, without a
model call (`llm_call_count` 0). Each model conversation is an embedded subagent
(`subagent_trajectories`), referred to from the step that began it. What is unknown
(a cost, tokens) is absent; a call that served several trajectories is counted in one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.conversation import NO_TEXT
from agent.journal import Kind
from runs.export.charges import Charges, cost
from runs.export.mini import execution
from runs.export.story import moment
from runs.export.wording import happened, voted, why_chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.export.charges import Charge
    from runs.export.story import Story
    from runs.store.reading import Conversation, Row, Turn

SCHEMA = "ATIF-v1.7"
NOTES = (
    "The steps of this document are Troop's own and call no model; its conversations with the model"
    " are the subagents. A call that asked for several replies is counted in the first trajectory"
    " that it served; the others name it in extra.counted_in. A cost or a count of tokens that is"
    " not known is absent; so is the cost of replayed calls, which cost nothing now."
)

Document = dict[str, Any]


def atif_document(story: Story) -> Document:
    """One instance, with every trajectory embedded."""
    charges = Charges(story.talks)
    steps: list[Document] = [{"source": "user", "message": story.problem}]
    for about, kinds in (
        ("Let a model say of each source file whether it may matter.", (Kind.RELEVANCE,)),
        ("Rank the files that may matter, and fill the context with them.", (Kind.RANKING,)),
        ("Draw samples: each writes a test, then an edit.", (Kind.TESTING, Kind.EDITING)),
    ):
        if talks := story.of_kind(*kinds):
            steps.append(_dispatch(about, talks))
    if story.votes:
        steps.append(_said("Run every test on every candidate, and count votes.", voted(story)))
    if talks := story.of_kind(Kind.SELECTION):
        steps.append(_dispatch("Let a trajectory tell the best candidates apart.", talks))
    steps.append(_said(f"End: {why_chosen(story)}.", story.patch))
    return {
        "schema_version": SCHEMA,
        "session_id": f"{story.run['run']}/{story.name}",
        "trajectory_id": story.name,
        "agent": {**_agent(story, "troop"), "extra": {"config": story.settings}},
        "steps": _numbered(steps),
        "notes": NOTES,
        "final_metrics": _metrics(charges.total(story.talks), len(steps)),
        "extra": _about(story),
        "subagent_trajectories": [
            _subagent(story, talk, charges) for talk in story.talks if talk.turns
        ],
    }


def _agent(story: Story, name: str) -> Document:
    return {
        "name": name,
        "version": story.run["troop_version"],
        "model_name": story.run["model"],
    }


def _about(story: Story) -> Document:
    instance = story.instance
    return {
        "instance_id": story.name,
        "repo": instance["repo"],
        "base_commit": instance["base_commit"],
        "image": instance["image"],
        "status": instance["status"],
        "error": instance["error"],
        "chosen": instance["chosen"],
        "reason": instance["reason"],
        "context_files": story.context,
        "patch": story.patch,
        "replayed": bool(story.run["replayed"]),
    }


def _dispatch(about: str, talks: Sequence[Conversation]) -> Document:
    """A step that begins trajectories; one without a reply has no document to refer to."""
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


def _subagent(story: Story, talk: Conversation, charges: Charges) -> Document:
    steps: list[Document] = [{"source": "system", "message": talk.system}]
    for number, turn in enumerate(talk.turns):
        prompt = turn.prompt if number else talk.prefix + turn.prompt
        steps += [{"source": "user", "message": prompt}, _reply(turn, charges)]
    kind = talk.row["kind"]
    return {
        "schema_version": SCHEMA,
        "trajectory_id": talk.key,
        "agent": {**_agent(story, f"troop-{kind}"), "model_name": talk.turns[0].row["model"]},
        "steps": _numbered(steps),
        "final_metrics": _metrics(charges.total([talk]), len(steps)),
        "extra": {
            "kind": kind,
            "sample": talk.row["sample"],
            "outcome": talk.row["outcome"],
        },
    }


def _reply(turn: Turn, charges: Charges) -> Document:
    row = turn.row
    extra: Document = {
        "finish_reason": row["finish"],
        "duration_s": row["duration_s"],
        "attempts": row["attempts"],
        "replayed": bool(row["replayed"]),
    }
    if not turn.reply.strip():
        extra["sent_back_as"] = NO_TEXT
    step: Document = {"source": "agent", "model_name": row["model"], "message": turn.reply}
    if when := moment(row["created_at"]):
        step["timestamp"] = when.isoformat()
    if turn.reasoning:
        step["reasoning_content"] = turn.reasoning
    if not charges.counts(row):
        extra["counted_in"] = charges.leader(row)
    else:
        step["llm_call_count"] = 1
        if row["n"] > 1:
            extra["replies_in_call"] = row["n"]
        if used := _used(row):
            step["metrics"] = used
    if turn.executions:
        results = [{"content": s["output"], "extra": execution(s)} for s in turn.executions]
        step["observation"] = {"results": results}
    return {**step, "extra": extra}


def _used(row: Row) -> Document:
    tokens = ("prompt_tokens", "completion_tokens", "cached_tokens")
    found: Document = {name: row[name] for name in tokens}
    return _known({**found, "cost_usd": cost(row)})


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
