"""The views of what each stage cost and how long it took."""

from __future__ import annotations

from agent.journal import Kind
from runs.store.view import IN_RUN, OF_INSTANCE, View

_STAGES = "relevance, ranking, testing, editing, matrix, selection or judge"


def _order(stage: str) -> str:
    """An expression that sorts stages in the order of work."""
    places = " ".join(f"WHEN '{kind}' THEN {place}" for place, kind in enumerate(Kind))
    return f"CASE {stage} {places} ELSE {len(Kind)} END"


_CALLS = (
    "SELECT c.instance_id, c.kind AS stage, count(*) AS calls, sum(c.duration_s) AS model_seconds,"
    " 0 AS executions, 0.0 AS script_seconds FROM call c GROUP BY c.instance_id, c.kind"
)
_EXECUTIONS = (
    "SELECT e.instance_id, t.kind, 0, 0.0, count(*), sum(e.duration_s) FROM execution e"
    " LEFT JOIN sighting g ON g.id ="
    " (SELECT min(f.id) FROM sighting f WHERE f.execution_id = e.id)"
    " LEFT JOIN trajectory t ON t.id = g.trajectory_id GROUP BY e.instance_id, t.kind"
)

STAGE_VIEWS = (
    View(
        "cost_by_stage",
        "one row per run, stage and model",
        (
            ("run", "r.name", "the run's name"),
            ("stage", "c.kind", _STAGES.replace("matrix, ", "")),
            ("model", "c.model", "the model"),
            ("calls", "count(*)", "requests to the model server"),
            ("prompt_tokens", "sum(c.prompt_tokens)", "tokens sent"),
            ("cached_tokens", "sum(c.cached_tokens)", "of those, found in the server's cache"),
            ("completion_tokens", "sum(c.completion_tokens)", "tokens written by the model"),
            ("cost_usd", "sum(c.cost_usd)", "known cost in US dollars; NULL: no price is known"),
            (
                "unpriced_calls",
                "sum(CASE WHEN c.cost_usd IS NULL THEN 1 ELSE 0 END)",
                "calls whose cost is unknown",
            ),
            ("seconds", "sum(c.duration_s)", "seconds of waiting for replies, summed over calls"),
        ),
        "call c " + OF_INSTANCE.format("c") + " GROUP BY r.id, r.name, c.kind, c.model",
        f"r.id, {_order('c.kind')}, c.kind, c.model",
    ),
    View(
        "time_by_stage",
        "one row per instance and stage: calls and executions",
        (
            ("run", "r.name", "the run's name"),
            ("instance_id", "i.instance_id", "the instance"),
            (
                "stage",
                "w.stage",
                f"{_STAGES}; NULL: executions that no trajectory saw",
            ),
            ("calls", "sum(w.calls)", "requests to the model server"),
            (
                "model_seconds",
                "sum(w.model_seconds)",
                "seconds of waiting for replies, summed over calls, many of which ran at once",
            ),
            (
                "executions",
                "sum(w.executions)",
                "executions; each counts in the stage that saw it first",
            ),
            (
                "script_seconds",
                "sum(w.script_seconds)",
                "seconds of running scripts, summed over executions, many of which ran at once",
            ),
        ),
        f"({_CALLS} UNION ALL {_EXECUTIONS}) w {OF_INSTANCE.format('w')}"
        " GROUP BY r.id, r.name, i.instance_id, w.stage",
        f"{IN_RUN}, {_order('w.stage')}",
    ),
)
