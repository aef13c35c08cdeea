"""The views of grades: for grading, and for measuring selection afterwards."""

from __future__ import annotations

from runs.store.view import OF_INSTANCE, View

_CANDIDATES = (
    "(SELECT count(*) FROM candidate k JOIN instance i ON i.id = k.instance_id"
    " WHERE i.run_id = r.id)"
)
_CANDIDATE = (
    ("run", "r.name"),
    ("instance_id", "i.instance_id"),
    ("candidate", "k.number"),
    ("chosen", "k.chosen"),
    ("diff", "k.diff"),
)


def _holders() -> str:
    """All candidates with their runs."""
    columns = ", ".join(f"{expression} AS {name}" for name, expression in _CANDIDATE)
    return f"(SELECT {columns} FROM candidate k {OF_INSTANCE.format('k')})"  # noqa: S608 - ours


def _instances(condition: str) -> str:
    """How many instances of the row's run meet a condition."""
    rows = f"instance i WHERE i.run_id = r.id AND {condition}"
    return f"(SELECT count(*) FROM {rows})"  # noqa: S608 - ours


def _graded(expression: str, condition: str) -> str:
    """`expression` over the candidates of the row's run that its grader gave a verdict on."""
    rows = (
        "candidate k JOIN instance i ON i.id = k.instance_id JOIN grade g"
        " ON g.instance_id = i.instance_id AND g.diff = k.diff"
        " WHERE i.run_id = r.id AND g.grader = j.grader AND g.resolved IS NOT NULL"
    )
    return f"(SELECT {expression} FROM {rows} AND {condition})"  # noqa: S608 - ours


GRADE_VIEWS = (
    View(
        "grades",
        "one row per grade and candidate that has the graded patch",
        (
            ("run", "h.run", "a run that has the patch; NULL: no run has it"),
            ("instance_id", "g.instance_id", "the instance"),
            ("candidate", "h.candidate", "the candidate's number in that run"),
            ("chosen", "h.chosen", "1: it is that run's chosen candidate"),
            ("grader", "g.grader", "harness or sandbox"),
            ("grader_version", "g.grader_version", "the grader's version"),
            ("judge", "g.grader", "the grader, by its former name"),
            ("judge_version", "g.grader_version", "the grader's version, by its former name"),
            ("resolved", "g.resolved", "1: resolved, 0: not; NULL: no verdict"),
            (
                "outcome",
                "g.outcome",
                "resolved, unresolved, apply_failed, empty, timeout, error or cannot_judge",
            ),
            ("detail", "g.detail", "why, if the outcome alone does not say it"),
            ("fail_to_pass", "g.fail_to_pass", "tests of FAIL_TO_PASS that pass"),
            (
                "fail_to_pass_failing",
                "g.fail_to_pass_failing",
                "tests of FAIL_TO_PASS that fail or are missing",
            ),
            ("pass_to_pass", "g.pass_to_pass", "tests of PASS_TO_PASS that pass or are skipped"),
            (
                "pass_to_pass_failing",
                "g.pass_to_pass_failing",
                "tests of PASS_TO_PASS that fail or are missing",
            ),
            ("timeout_s", "g.timeout_s", "time-out of the tests, in seconds"),
            ("duration_s", "g.duration_s", "seconds that grading took; NULL: unknown"),
            ("created_at", "g.created_at", "when it was stored, in UTC"),
            ("inputs", "g.inputs", "digest of what the verdict depends on in the dataset's row"),
            ("patch", "g.patch", "digest of the diff without line ends at its end"),
            ("diff", "g.diff", "the patch (content() shows it, if a run has it)"),
            ("report", "g.report", "the grader's report as JSON (content() shows it)"),
            ("log", "g.log", "what the tests printed (content() shows it)"),
        ),
        f"grade g LEFT JOIN {_holders()} h ON h.instance_id = g.instance_id AND h.diff = g.diff",
        "g.instance_id, g.patch, g.grader, h.run IS NULL, h.run, h.candidate",
    ),
    View(
        "resolved",
        "one row per run and grader that has graded any of its patches",
        (
            ("run", "r.name", "the run's name"),
            ("grader", "j.grader", "harness or sandbox"),
            ("judge", "j.grader", "the grader, by its former name"),
            (
                "instances",
                _instances("i.status IN ('patched', 'no_patch')"),
                "instances that ended, with a patch or without one",
            ),
            (
                "without_patch",
                "(SELECT count(*) FROM instance i WHERE i.run_id = r.id AND i.status = 'no_patch')",
                "of those, the ones without a patch, which count as not resolved",
            ),
            (
                "chosen_graded",
                _graded("count(DISTINCT i.id)", "k.chosen"),
                "instances whose chosen patch has a verdict",
            ),
            (
                "resolved",
                _graded("count(DISTINCT i.id)", "k.chosen AND g.resolved"),
                "instances whose chosen patch is resolved",
            ),
            (
                "candidates_graded",
                _graded("count(*)", "1 = 1"),
                "candidates that have a verdict",
            ),
            (
                "candidates",
                _CANDIDATES,
                "all candidates, with a verdict or without one",
            ),
            (
                "coverage",
                _graded("count(DISTINCT i.id)", "g.resolved"),
                "instances with at least one candidate that is known to be resolved",
            ),
        ),
        "run r JOIN (SELECT DISTINCT i.run_id AS run_id, g.grader AS grader FROM grade g"
        " JOIN instance i ON i.instance_id = g.instance_id JOIN candidate k"
        " ON k.instance_id = i.id AND k.diff = g.diff) j ON j.run_id = r.id",
        "r.id, j.grader",
    ),
)
