"""Check each prediction in a file: it is accepted, repaired or refused.

Examples:
  troop check-predictions preds.json
  troop check-predictions all_preds.jsonl --dataset verified
  troop check-predictions theirs.jsonl --output repaired.jsonl    keep those that can be used
  troop check-predictions theirs.jsonl --json

It does not check whether a patch applies, because that depends on the code.

Exit codes:
  0  all can be used
  1  some were refused
  2  the file cannot be read
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from data.writing import whole_file
from runs.cli.shared.flags import add_dataset, add_json, add_output
from runs.cli.shared.outputs import check_output
from runs.cli.shared.streams import write_json

if TYPE_CHECKING:
    import argparse

    from data.predictions.check import Checked


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="preds.json, all_preds.jsonl, or a JSON array"
    )
    add_dataset(parser, default="none: any id is accepted")
    add_json(parser)
    add_output(parser, "the predictions that can be used, as JSON Lines", "--write")


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from data.predictions.check import PredictionVerdict, check_predictions
    from runs.words import visible

    known = None
    if args.dataset:
        from data.instances.loaders import load_instances

        known = {one.instance_id for one in load_instances(args.dataset, split=args.split)}
    totals = dict.fromkeys((verdict.value for verdict in PredictionVerdict), 0)
    models: set[str] = set()
    listed = []
    check_output(args, "output")
    with nullcontext() if args.output is None else whole_file(args.output) as file:
        for one in check_predictions(args.file, known=known):
            totals[one.verdict.value] += 1
            if one.verdict is not PredictionVerdict.REFUSED:
                models.add(one.model_name_or_path)
                if file and not one.repeats:
                    file.write(_line(one).encode("ascii"))
            if args.json:
                listed.append(_summary(one))
            else:
                sys.stdout.write(visible(_said(one)) + "\n")
    if args.json:
        whole = {"predictions": listed, "totals": totals, "models": sorted(models)}
        write_json(whole)
    else:
        said = ", ".join(f"{count} {verdict}" for verdict, count in totals.items())
        several = f"; {len(models)} model names, but graders take one" if len(models) > 1 else ""
        sys.stdout.write(f"{said}{several}\n")
    return 1 if totals[PredictionVerdict.REFUSED.value] else 0


def _said(one: Checked) -> str:
    notes = "; ".join(" ".join(note.split()) for note in one.notes)
    about = f"{one.verdict.value}  {one.where}  {one.instance_id or '?'}"
    return f"{about}: {notes}" if notes else about


def _summary(one: Checked) -> dict[str, object]:
    return {
        "where": one.where,
        "instance_id": one.instance_id,
        "model_name_or_path": one.model_name_or_path,
        "verdict": one.verdict.value,
        "notes": list(one.notes),
    }


def _line(one: Checked) -> str:
    row = {
        "model_name_or_path": one.model_name_or_path,
        "instance_id": one.instance_id,
        "model_patch": one.patch,
    }
    return json.dumps(row) + "\n"
