"""The README.md of a submission: what reviewers ask about a system."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runs.leaderboard.submission import TODO

if TYPE_CHECKING:
    from runs.leaderboard.submission import About, Submission


@dataclass(slots=True)
class Result:
    """The results according to the logs of the grades."""

    submitted: int = 0
    repos: dict[str, list[bool]] = field(default_factory=dict)
    """For each repository, whether each graded instance is resolved."""

    def count(self, repo: str, report: bytes | None, name: str) -> None:
        """Take in an instance, with the report of its grade if there is one."""
        self.submitted += 1
        if report is not None and (verdict := resolved(report, name)) is not None:
            self.repos.setdefault(repo, []).append(verdict)


def resolved(report: bytes, name: str) -> bool | None:
    """Whether a harness's report says that an instance is resolved; None: it cannot be read."""
    try:
        found = json.loads(report)
    except ValueError:
        return None
    inner = found.get(name) if isinstance(found, dict) else None
    verdict = inner.get("resolved") if isinstance(inner, dict) else None
    return verdict if isinstance(verdict, bool) else None


def readme(submission: Submission, result: Result) -> str:
    """The text of README.md."""
    about = submission.about
    return "\n".join(
        [
            f"# {about.system_name or TODO + ': --system-name'}\n",
            *_people(about),
            _system(submission),
            _results(result),
            _checklist(submission),
        ]
    )


def _people(about: About) -> list[str]:
    return [
        f"- Authors: {about.authors or TODO + ': --authors'}",
        f"- Report: {about.report or TODO + ': --report'}",
        f"- Site: {about.site or TODO + ': --url'}\n",
    ]


def _system(submission: Submission) -> str:
    writes = "a test script from the issue alone" + (", then an edit" * submission.run.edits)
    several = (
        f"It draws {submission.run.samples} samples of each instance. Each writes {writes},"
        " and revises it by what is printed. All tests run on all edits and vote; a last"
        " trajectory writes tests that tell the best apart, and chooses one."
    )
    single = f"It draws one sample of each instance, which writes {writes}."
    joined = ", ".join(submission.outside)
    return (
        "## The system\n\n"
        f"Troop {submission.run.troop_version} with {', '.join(submission.models)}. A model"
        " reads the codebase and ranks the files that matter."
        f" {several if submission.run.samples > 1 else single}"
        + (f" Patches of other systems take part in the vote: {joined}." if joined else "")
        + " One patch comes out. `trajs/` has every step.\n"
    )


def _results(result: Result) -> str:
    verdicts = [verdict for each in result.repos.values() for verdict in each]
    lines = ["## Results\n", f"{result.submitted} predictions, {len(verdicts)} graded."]
    if verdicts:
        # The share of all that were submitted: what was not graded is not resolved.
        share = sum(verdicts) / result.submitted
        lines += [f"Resolved: {sum(verdicts)} of {result.submitted} ({share:.1%}).", ""]
        lines += ["| repository | resolved | graded |", "|---|---|---|"]
        lines += [f"| {r} | {sum(v)} | {len(v)} |" for r, v in sorted(result.repos.items())]
    return "\n".join([*lines, ""])


def _checklist(submission: Submission) -> str:
    """The leaderboard's questions, ticked only where Troop can vouch for the answer."""
    tries = (
        "pass@1: one attempt at each instance"
        if submission.single
        else "best@k: of several attempts at an instance the system itself submits one; grades and"
        " the benchmark's tests play no part in the choice"
    )
    tests = (
        "No knowledge of the benchmark's tests (`FAIL_TO_PASS`, `PASS_TO_PASS`):"
        " these columns are never read"
    )
    web = (
        "No web: the model has no tools, and what it writes runs in containers without network,"
        " from which later git history is removed"
    )
    others = _of_others(submission)
    claims = (
        (f"One prediction for each instance ({tries})", ""),
        (tests, others),
        ("No `hints_text`: this column is never read", others),
        (web, others or _of_sandbox(submission)),
    )
    lines = [f"- [ ] {TODO}: {why} ({claim})" if why else f"- [x] {claim}" for claim, why in claims]
    return "\n".join(["## Checklist\n", *lines, ""])


def _of_others(submission: Submission) -> str:
    return "say whether this holds for the other systems, too" if submission.outside else ""


def _of_sandbox(submission: Submission) -> str:
    sandbox = submission.run.sandbox
    return "" if sandbox == "docker" else f"this run used the {sandbox} sandbox; say what is true"
