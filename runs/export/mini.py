"""Trajectories as mini-swe-agent writes them: `trajectory_format` "mini-swe-agent-1.1".

The folder is like that of its batch mode: preds.json, exit_statuses.yaml, and for each
instance <id>/<id>.traj.json. One instance has many trajectories here. That file has
the ones that led to the patch (the first sample that wrote it, then the selection);
other files are next to it: sample-N, selection, ranking, relevance, judge. Messages are
what was sent and received; what mini-swe-agent has no field for is in `extra`. An
unknown cost has no field at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.conversation import NO_TEXT
from agent.journal import Kind
from runs.export.charges import Charges, cost
from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runs.store.conversations import StoredConversation, Turn
    from runs.store.records import CallRecord, InstanceRecord, SeenExecution
    from runs.store.story import Story

FORMAT = "mini-swe-agent-1.1"
SUBMITTED = "Submitted"
"""The exit status that tells mini-swe-agent's readers that there is a patch."""

_STEMS: Mapping[Kind, str | None] = {
    Kind.RELEVANCE: "relevance",
    Kind.RANKING: "ranking",
    Kind.TESTING: None,
    Kind.EDITING: None,
    Kind.MATRIX: None,
    Kind.SELECTION: "selection",
    Kind.JUDGE: "judge",
}
"""The file of a kind of trajectory; None: the file of its sample, if there is one."""

Document = dict[str, Any]


def mini_documents(story: Story, patch: str) -> dict[str, Document]:
    """The trajectory files of an instance by their stem. The first is the main one.

    `patch` is the exported patch.
    """
    talks = story.conversations
    charges = Charges(talks)
    selection = story.of_kind(Kind.SELECTION)
    sample = story.chosen_sample or next(iter(story.numbers), None)
    led = [*(story.of_sample(sample) if sample is not None else ()), *selection]
    status = exit_status(story.instance)
    # An instance that was stopped before its samples has only relevance and ranking.
    files = {story.name: _document(story, charges, led or talks, status, patch)}
    # The instance's cost is that of all its trajectories, not only those in the main file.
    files[story.name]["info"]["model_stats"] = _stats(charges, talks)
    files[story.name]["messages"].append(
        {
            "role": "exit",
            "content": patch,
            "extra": {"exit_status": status, "submission": patch},
        }
    )
    for stem, group in _groups(story).items():
        outcome = group[-1].trajectory.outcome or story.instance.status
        files[stem] = _document(story, charges, group, outcome, "")
    return files


def exit_status(instance: InstanceRecord) -> str:
    """How an instance ended: "Submitted", or Troop's own status."""
    return SUBMITTED if instance.status is Status.PATCHED else instance.status


def exit_statuses(instances: Sequence[InstanceRecord]) -> str:
    """The YAML file in which mini-swe-agent's batch mode lists instances by exit status."""
    found: dict[str, list[str]] = {}
    for one in instances:
        found.setdefault(exit_status(one), []).append(one.instance_id)
    lines = ["instances_by_exit_status:" if found else "instances_by_exit_status: {}"]
    for status, names in sorted(found.items()):
        lines += [f"  {status}:", *(f"  - {json.dumps(name)}" for name in names)]
    return "\n".join([*lines, ""])


def _groups(story: Story) -> dict[str, list[StoredConversation]]:
    groups = {f"sample-{number}": story.of_sample(number) for number in story.numbers}
    for kind in Kind:
        if (stem := _STEMS[kind]) is not None:
            groups[stem] = story.of_kind(kind)
    return {stem: talks for stem, talks in groups.items() if talks}


def _document(
    story: Story,
    charges: Charges,
    talks: Sequence[StoredConversation],
    status: str,
    submission: str,
) -> Document:
    return {
        "info": {
            "model_stats": _stats(charges, talks),
            "config": {
                "agent_type": "troop",
                "model": {"model_name": story.run.model},
                "environment": {"image": story.instance.image},
                "troop": story.run.settings,
            },
            "exit_status": status,
            "submission": submission,
            "troop_version": story.run.troop_version,
            "run": story.run.name,
        },
        "messages": [message for talk in talks for message in _messages(talk, charges)],
        "trajectory_format": FORMAT,
        "instance_id": story.name,
    }


def _stats(charges: Charges, talks: Sequence[StoredConversation]) -> Document:
    total = charges.total(talks)
    stats: Document = {"api_calls": total.calls}
    if total.cost_usd is not None:
        stats["instance_cost"] = total.cost_usd
    return stats


def _messages(talk: StoredConversation, charges: Charges) -> list[Document]:
    if not talk.turns:
        return []
    where = {"trajectory": talk.key}
    messages = [{"role": "system", "content": talk.system, "extra": where}]
    for number, turn in enumerate(talk.turns):
        prompt = turn.prompt if number else talk.prefix + turn.prompt
        messages.append({"role": "user", "content": prompt, "extra": {**where, "turn": number}})
        messages.append(_reply(talk, turn, charges))
    return messages


def _reply(talk: StoredConversation, turn: Turn, charges: Charges) -> Document:
    call = turn.record.call
    extra: Document = {
        "trajectory": talk.key,
        "turn": turn.record.number,
        "duration_s": call.duration_s,
        "attempts": call.attempts,
        "replayed": call.replayed,
        "finish_reason": turn.record.finish,
        "response": {"model": call.model},
        "executions": [
            execution(seen) | {"output": seen.execution.output} for seen in turn.executions
        ],
        "timestamp": call.created_at.timestamp(),
    }
    if charges.counts(turn.record):
        extra |= _used(call)
    else:
        extra["counted_in"] = charges.leader(turn.record)
    if not turn.reply.strip():
        extra["sent_back_as"] = NO_TEXT
    message: Document = {"role": "assistant", "content": turn.reply, "extra": extra}
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    return message


def _used(call: CallRecord) -> Document:
    """Usage and cost of a call, as far as they are known."""
    found: Document = {"replies_in_call": call.n}
    if (spent := cost(call)) is not None:
        found["cost"] = spent
    if call.prompt_tokens is not None:
        usage = {
            "prompt_tokens": call.prompt_tokens,
            "completion_tokens": call.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": call.cached_tokens},
        }
        found["response"] = {"model": call.model, "usage": usage}
    return found


def execution(seen: SeenExecution) -> Document:
    """What is known of an execution, apart from what it printed."""
    return {
        "purpose": seen.purpose,
        "ending": seen.execution.ending,
        "exit_code": seen.execution.exit_code,
        "duration_s": seen.execution.duration_s,
    }
