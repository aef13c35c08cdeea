"""Reads what the harness leaves of a patch, a folder with its report and logs, as a grade."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runs.grading.harness import last_line
from runs.grading.nouns import Counts, Grade, GradeOutcome
from runs.grading.resolution import APPLY_FAILED

if TYPE_CHECKING:
    from pathlib import Path

    from runs.grading.nouns import GradingTask

REPORT = "report.json"
_PATCH, _OUTPUT, _LOG = "patch.diff", "test_output.txt", "run_instance.log"
_TIMED_OUT = "Timeout error: "


def read_report(task: GradingTask, folder: Path) -> Grade | None:
    """The grade in a folder of the harness; None: there is no complete report yet.

    The harness reuses a stored report of an instance whatever its patch is. A report
    of another patch is therefore an error, never this patch's grade.
    """
    text = _text(folder / REPORT)
    try:
        report = json.loads(text)[task.instance_id]
        resolved = report["resolved"]
    except (ValueError, KeyError, TypeError):
        return None
    if _bytes(folder / _PATCH) != task.diff.encode("utf-8", "surrogateescape"):
        return Grade(task, GradeOutcome.ERROR, "the harness's report is that of another patch")
    if not isinstance(resolved, bool):
        return Grade(task, GradeOutcome.ERROR, "the harness's report says neither true nor false")
    outcome, detail = _outcome(report, resolved=resolved)
    return Grade(
        task,
        outcome,
        detail,
        _counts(report, "FAIL_TO_PASS"),
        _counts(report, "PASS_TO_PASS"),
        text,
        _text(folder / _OUTPUT),
        _duration(folder),
    )


def without_report(task: GradingTask, folder: Path, said: str) -> Grade:
    """The grade of a patch for which the harness has ended without a report.

    `said` is what the harness printed.
    """
    log, output = _text(folder / _LOG), _text(folder / _OUTPUT)
    if (folder / REPORT).exists():
        return Grade(task, GradeOutcome.ERROR, "the harness's report is damaged", log=log)
    if APPLY_FAILED in log:
        return Grade(task, GradeOutcome.APPLY_FAILED, log=log)
    timed_out = output.rpartition(_TIMED_OUT)
    if timed_out[1] and timed_out[2].strip().endswith("seconds exceeded."):
        return Grade(task, GradeOutcome.TIMEOUT, f"stopped: {timed_out[2].strip()}", log=output)
    return Grade(task, GradeOutcome.ERROR, _why(log) or last_line(said), log=log or said)


def _outcome(report: dict[str, Any], *, resolved: bool) -> tuple[GradeOutcome, str]:
    if resolved:
        return GradeOutcome.RESOLVED, ""
    if report.get("infra_failure"):
        reason = str(report.get("infra_failure_reason", "unknown")).replace("_", " ")
        return GradeOutcome.ERROR, f"the harness takes this for a failure of the machine: {reason}"
    read = "tests_status" in report
    return GradeOutcome.UNRESOLVED, "" if read else "the log tells nothing of the tests"


def _counts(report: dict[str, Any], name: str) -> Counts | None:
    try:
        sides = report["tests_status"][name]
        return Counts(len(sides["success"]), len(sides["failure"]))
    except (KeyError, TypeError):
        return None


def _why(log: str) -> str:
    """The last error in the log of an instance."""
    lines = [
        line.strip() for line in log.splitlines() if "Error" in line and "error_msg" not in line
    ]
    return lines[-1] if lines else ""


def _duration(folder: Path) -> float | None:
    """Seconds between the patch and the report."""
    try:
        return (folder / REPORT).stat().st_mtime - (folder / _PATCH).stat().st_mtime
    except OSError:
        return None


def _text(file: Path) -> str:
    return _bytes(file).decode("utf-8", "replace")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
