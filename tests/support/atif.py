"""The rules of ATIF 1.7 that a document must keep, frozen from Harbor's models (0.25)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {
    "trajectory": (
        *("schema_version", "session_id", "trajectory_id", "agent", "steps", "notes"),
        *("final_metrics", "continued_trajectory_ref", "extra", "subagent_trajectories"),
    ),
    "agent": ("name", "version", "model_name", "tool_definitions", "extra"),
    "step": (
        *("step_id", "timestamp", "source", "model_name", "reasoning_effort", "message"),
        *("reasoning_content", "tool_calls", "observation", "metrics", "is_copied_context"),
        *("llm_call_count", "extra"),
    ),
    "result": ("source_call_id", "content", "subagent_trajectory_ref", "extra"),
    "metrics": (
        *("prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd"),
        *("prompt_token_ids", "completion_token_ids", "logprobs", "extra"),
    ),
    "final_metrics": (
        *("total_prompt_tokens", "total_completion_tokens", "total_cached_tokens"),
        *("total_cost_usd", "total_steps", "extra"),
    ),
}
AGENT_ONLY = {"model_name", "reasoning_effort", "reasoning_content", "tool_calls", "metrics"}


def faults(document: dict[str, Any]) -> list[str]:
    """Everything in which a document breaks the rules."""
    return list(_trajectory(document, "root"))


def _trajectory(document: dict[str, Any], where: str) -> Iterator[str]:
    yield from _unknown("trajectory", document, where)
    yield from _unknown("agent", document["agent"], where)
    yield from _unknown("final_metrics", document.get("final_metrics", {}), where)
    if document["schema_version"] != "ATIF-v1.7":
        yield f"{where}: {document['schema_version']}"
    if not document["steps"]:
        yield f"{where}: no steps"
    subagents = document.get("subagent_trajectories", [])
    names = [each["trajectory_id"] for each in subagents]
    if len(names) != len(set(names)):
        yield f"{where}: subagents share an id"
    for number, step in enumerate(document["steps"], 1):
        yield from _step(step, number, set(names), f"{where}, step {number}")
    for each in subagents:
        yield from _trajectory(each, each["trajectory_id"])


def _step(step: dict[str, Any], number: int, names: set[str], where: str) -> Iterator[str]:
    yield from _unknown("step", step, where)
    yield from _unknown("metrics", step.get("metrics", {}), where)
    if step["step_id"] != number:
        yield f"{where}: is numbered {step['step_id']}"
    if step["source"] not in {"system", "user", "agent"} or not isinstance(step["message"], str):
        yield f"{where}: source or message"
    if step["source"] != "agent" and AGENT_ONLY & step.keys():
        yield f"{where}: fields of agents"
    if step.get("llm_call_count") == 0 and {"metrics", "reasoning_content"} & step.keys():
        yield f"{where}: fields of model calls"
    if "timestamp" in step and datetime.fromisoformat(step["timestamp"]).tzinfo is None:
        yield f"{where}: time without a zone"
    for result in step.get("observation", {}).get("results", []):
        yield from _unknown("result", result, where)
        for ref in result.get("subagent_trajectory_ref", []):
            if ref["trajectory_id"] not in names:
                yield f"{where}: refers to {ref['trajectory_id']}, which is not there"


def _unknown(kind: str, found: dict[str, Any], where: str) -> Iterator[str]:
    if strangers := found.keys() - set(KEYS[kind]):
        yield f"{where}: {kind} has no {', '.join(sorted(strangers))}"
