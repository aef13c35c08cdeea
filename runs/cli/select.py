"""Choose again on a stored run: what would other selection methods have taken?

Nothing is generated and nothing is executed; votes come from the database.

Methods:
  random            any writer of a candidate is as likely as any other (--seed)
  shortest          the shortest diff
  agreement         what most wrote, then the largest group that all tests see alike
  paper             most of the samples' tests passed (CodeMonkeys)
  discriminating    most tests passed that fail before the edit; a candidate's own never alone
  codet             writers x tests passed, of those who pass the same tests (CodeT)
  regression        discriminating, and a vote of each nearby test file of the repository's own
  regression-first  who breaks least of these files, then discriminating (Agentless)

Examples:
  troop select last                                 all methods beside the run's own choice
  troop select first django__django-11099           one instance, with reasons
  troop select first --method paper,codet --json
  troop select first --method codet --write preds.json
  troop select first --grades grades.jsonl          what each method would have resolved

Grades are JSON Lines with instance_id, a patch (model_patch) or a candidate's digest (candidate),
and resolved (resolved_here goes first). Without --grades, those of `troop grade` are taken, where
there are any. They are read when everything is chosen.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.flags import add_database
from runs.places import database_url

if TYPE_CHECKING:
    import argparse

    from runs.grades import Grades
    from runs.reselect import Reselected
    from runs.store.reading import Reader, Row

ALL = "all"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    parser.add_argument("select_run", metavar="RUN", help='a run\'s name, or "last"')
    parser.add_argument("instances", nargs="*", default=[], metavar="INSTANCE", help="only these")
    parser.add_argument(
        "-m", "--method", default=ALL, metavar="M[,M…]", help="methods, or all (the default)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of random (0)")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    parser.add_argument(
        "--grades",
        "--oracle",
        type=Path,
        metavar="FILE",
        help="verdicts on the candidates: adds what each method would have resolved",
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="the predictions of one method, for the harness (.json, or .jsonl for lines)",
    )
    parser.add_argument(
        "--model-name", metavar="NAME", help="what model_name_or_path says (troop-MODEL-METHOD)"
    )
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.store.reading import Reader

    methods = _methods(args.method)
    if args.write is not None and len(methods) != 1:
        raise UsageError("--write takes one method's choices", mend="name it with --method")
    if args.write is not None and args.write.is_dir():
        raise UsageError(f"{args.write} is a folder", mend="give --write a file")
    with Reader(database_url(args.db)) as reader:
        return _select(args, reader, methods)


def _methods(given: str) -> list[str]:
    """The methods named, in the order given.

    Raises:
        UsageError: one is unknown.
    """
    from selection.methods import METHODS, check_method

    names = [name.strip() for name in given.split(",")]
    if names == [ALL]:
        return list(METHODS)
    for name in names:
        check_method(name)
    return list(dict.fromkeys(names))


def _select(args: argparse.Namespace, reader: Reader, methods: list[str]) -> int:
    from runs.cli.terminal import results
    from runs.report.selecting import selection_document, selection_report
    from runs.reselect import figures, graded, reselect

    found = reader.run(None if args.select_run == "last" else args.select_run)
    rows = _rows(reader, found["run"], args.instances)
    chosen, counted = reselect(reader, rows, methods, seed=args.seed), None
    _tell_unfinished(len(rows) - len(chosen))
    grades = _grades(args.grades, reader, found["run"])
    if grades is not None:
        chosen = graded(chosen, grades)
        counted = figures(chosen, methods)
    if args.json:
        document = selection_document(found, chosen, methods, args.seed, counted)
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    elif chosen:
        results().print(selection_report(found, chosen, methods, counted))
    if args.write is not None:
        name = args.model_name or f"troop-{found['model']}-{methods[0]}"
        _write(args.write, name, chosen, methods[0])
    return 0 if any(one.matrix.candidates for one in chosen) else 1


def _grades(file: Path | None, reader: Reader, run: str) -> Grades | None:
    """The grades of the file, else those that `troop grade` stored; None: there are none."""
    from runs.grades import read_grades
    from runs.store.grades import stored_grades

    if file is not None:
        return read_grades(file)
    stored = stored_grades(reader, run)
    if stored.exact:
        _say("grades: those that `troop grade` has stored")
    return stored if stored.exact else None


def _rows(reader: Reader, run: str, names: list[str]) -> list[Row]:
    if names:
        return [reader.instance(run, name) for name in dict.fromkeys(names)]
    return reader.view("instances", run=run)


def _write(file: Path, name: str, chosen: list[Reselected], method: str) -> None:
    from data.predictions import write_prediction_file

    choices = {one.instance_id: one.choice(method) for one in chosen}
    patches = {key: "" if one is None else one.patch.diff for key, one in choices.items()}
    write_prediction_file(file, name, patches)
    _say(f"{len(patches)} predictions of {method}: {file}")


def _tell_unfinished(count: int) -> None:
    if count:
        _say(f"left out: {count} that have not come to their end")


def _say(text: str) -> None:
    from runs.cli.terminal import progress
    from runs.report.words import plain

    progress().print(plain(text))
