"""Check a leaderboard submission for all that a reviewer would reject.

Examples:
  troop check-submission out/evaluation/lite/20261121_troop-gpt-4.1
  troop check-submission out/evaluation/verified/20261121_troop --dataset verified.jsonl
  troop check-submission out/evaluation/lite/20261121_troop --json

It checks names and sizes; metadata.yaml and README.md; every prediction (damaged patches, test and
scratch files, ids that the dataset lacks); traces (missing or empty, or with the hidden tests in
them); and the harness's logs (missing, for another patch, or impossible). Only a person can say
whether the system is described well enough, and whether its claims are true.

Exit codes:
  0  nothing would be rejected
  1  something would be rejected
  2  the folder or the dataset cannot be read
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runs.cli.shared.flags import add_dataset, add_json
from runs.cli.shared.streams import write_json

if TYPE_CHECKING:
    import argparse

    from runs.leaderboard.review.finding import ReviewFinding, Submitted

NAMED = 5
"""How many instances a line names."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="evaluation/SPLIT/YYYYMMDD_name, as exported"
    )
    add_dataset(parser, default="the one that the folder names")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.leaderboard.review.review import review
    from runs.words import visible

    submitted, findings = review(args.folder, dataset=args.dataset, split=args.split)
    grave = sum(finding.grave for finding in findings)
    if args.json:
        write_json(_document(submitted, findings))
    else:
        for finding in findings:
            sys.stdout.write(visible(_said(finding)) + "\n")
        sys.stdout.write(
            f"{len(submitted.patches)} predictions; {grave} would be rejected,"
            f" {len(findings) - grave} to look at\n"
        )
    return 1 if grave else 0


def _said(finding: ReviewFinding) -> str:
    about = "rejected" if finding.grave else "look at"
    several = ""
    if len(finding.instances) > 1:
        names = ", ".join(finding.instances[:NAMED])
        more = ", …" if len(finding.instances) > NAMED else ""
        several = f" ({len(finding.instances)}: {names}{more})"
    elif finding.instances and finding.instances[0] not in finding.where:
        several = f" ({finding.instances[0]})"
    hint = f"\n          {finding.hint}" if finding.hint else ""
    return f"{about}  {finding.where}: {' '.join(finding.what.split())}{several}{hint}"


def _document(submitted: Submitted, findings: list[ReviewFinding]) -> dict[str, object]:
    return {
        "folder": str(submitted.folder),
        "predictions": len(submitted.patches),
        "valid": not any(finding.grave for finding in findings),
        "findings": [
            {
                "severity": "rejected" if finding.grave else "look at",
                "where": finding.where,
                "what": finding.what,
                "hint": finding.hint,
                "instances": list(finding.instances),
            }
            for finding in findings
        ],
    }
