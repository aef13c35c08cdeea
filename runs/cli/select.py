"""Choose again in a stored run: what would other selection methods have chosen?

Candidates and votes come from the database: none is written again.

Methods that ask no model and run nothing (default: all of these):
  random            any sample or system that wrote a candidate is as likely as any other (--seed)
  shortest          the shortest diff
  agreement         the patch that most wrote, then the largest group with the same behaviour
  paper             passes the most generated tests (CodeMonkeys)
  discriminating    the most votes: passes of tests that do not pass before the edit (a vote that
                    only a candidate's own test gives it does not count)
  codet             writers x tests passed, of candidates that pass the same tests (CodeT)
  regression        discriminating, and a vote of each nearby repository test file
  regression-first  breaks the fewest tests of these files, then discriminating (Agentless)

Methods that ask a model, in one trajectory for each instance, which is stored and never paid twice:
  model             looks once at the issue and the diffs, without tests
  selection         the selection trajectory again: it writes scripts and runs them in the sandbox

Not a selector, but the bound of all of them, if there are grades:
  oracle            a resolved candidate

Examples:
  troop select last                                 the default methods and the run's own choice
  troop select first django__django-11099           one instance, with reasons
  troop select first --method paper,codet --json
  troop select first --method codet --output preds.json
  troop select first --grades grades.jsonl          what each method would have resolved
  troop select first --method model,selection --base-url http://localhost:8000/v1
  troop select first --method selection --model other --set selection.finalists=5

Settings are the run's, unless a flag says otherwise.

Grades are JSON Lines with instance_id, a patch (model_patch) or a candidate's digest (candidate),
and resolved (or resolved_here, which comes before it). Without --grades, those that `troop grade`
has stored are taken, if there are any. They are looked at only when everything is chosen.

Exit codes:
  0  something was chosen
  1  no instance has a candidate
The others are those of `troop --help`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.shared.asking import choose_anew
from runs.cli.shared.flags import (
    add_database,
    add_dataset,
    add_grades,
    add_instances,
    add_json,
    add_model,
    add_output,
    add_run,
    add_settings,
    add_take_over,
)
from runs.cli.shared.outputs import check_output
from runs.cli.shared.streams import write_json
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.errors import TroopError
    from runs.compare.grades import Grades
    from runs.compare.reselect import Reselected
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord

ALL = "all"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    add_run(parser, "select_run")
    add_instances(parser)
    parser.add_argument(
        "-m",
        "--method",
        default=ALL,
        metavar="M[,M…]",
        help="methods, or all: those that ask no model (default: all)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="random seed: for the method random (default: 0)",
    )
    add_json(parser)
    add_grades(parser)
    add_output(
        parser,
        "the predictions of one method, for the harness; .json, or .jsonl for JSON Lines",
        "--write",
    )
    parser.add_argument(
        "--model-name",
        metavar="NAME",
        help="the model_name_or_path of predictions (default: troop-MODEL-METHOD)",
    )
    model = parser.add_argument_group("methods that ask a model")
    add_model(model, context=False)
    add_settings(model)
    add_dataset(model, default="the run's")
    add_take_over(model)
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.compare.oracle import ORACLE
    from runs.store.reading import Reader

    methods = _methods(args.method)
    if ORACLE in methods and args.output is not None:
        raise UsageError(
            "The oracle is not a selector, so its choices are not predictions.",
            hint="Name another method with --method.",
        )
    if args.output is not None and len(methods) != 1:
        raise UsageError("--output takes one method's choices.", hint="Name it with --method.")
    check_output(args, "output")
    with Reader(database_url(args.db)) as reader:
        return _select(args, reader, methods)


def _methods(given: str) -> list[str]:
    """The methods named, in the order given.

    Raises:
        UsageError: one is unknown.
    """
    from runs.compare.oracle import ORACLE
    from selection.selectors import SELECTORS, needs
    from selection.selectors.protocol import Needs

    names: list[str] = []
    pure = [name for name in SELECTORS if needs(name) is Needs.NOTHING]
    for name in given.split(","):
        names += pure if name.strip() == ALL else [name.strip()]
    known = (*SELECTORS, ORACLE)
    for name in names:
        if name not in known:
            raise UsageError(
                f"There is no selection method {name!r}.",
                hint=f"There are: {', '.join(known)}",
            )
    return list(dict.fromkeys(names))


def _select(args: argparse.Namespace, reader: Reader, methods: list[str]) -> int:
    from runs.cli.shared.measuring import grades_for
    from runs.cli.shared.terminal import results
    from runs.compare.figures import figures
    from runs.compare.oracle import ORACLE
    from runs.compare.reselect import ended, graded
    from runs.show.selecting import selection_document, selection_report

    found = reader.run(None if args.select_run == "last" else args.select_run)
    every = _instances(reader, found.name, args.instances)
    there, counted = ended(every), None
    _tell_unfinished(len(every) - len(there))
    grades = grades_for(reader, found.name, args.grades)
    if grades is None and ORACLE in methods:
        raise UsageError(
            "The oracle looks at grades, and there are none.",
            hint="Give --grades FILE, or grade first: troop grade RUN --all-candidates",
        )
    chosen, errors = choose_anew(args, reader, found, there, methods)
    if grades is not None:
        chosen = graded(chosen, grades, by_oracle=ORACLE in methods)
        if args.grades:
            _tell_unused(grades, chosen, {one.instance_id for one in reader.instances(found.name)})
        counted = figures(chosen, methods)
    if args.json:
        document = selection_document(found, chosen, methods, args.seed, counted)
        write_json(document)
    elif chosen:
        results().print(selection_report(found, chosen, methods, counted))
    if args.output is not None:
        name = args.model_name or f"troop-{found.model}-{methods[0]}"
        _write(args.output, name, chosen, methods[0])
    if errors:
        _tell_failed(errors)
        return max(error.exit_code for error in errors.values())
    return 0 if any(one.matrix.candidates for one in chosen) else 1


def _instances(reader: Reader, run: str, names: list[str]) -> Sequence[InstanceRecord]:
    if names:
        return [reader.instance(run, name) for name in dict.fromkeys(names)]
    return reader.instances(run)


def _write(file: Path, name: str, chosen: list[Reselected], method: str) -> None:
    from data.predictions.predictions import write_prediction_file
    from runs.words import counted

    choices = {one.instance_id: one.choice(method) for one in chosen}
    patches = {key: "" if one is None else one.patch.diff for key, one in choices.items()}
    write_prediction_file(file, name, patches)
    _say(f"{counted(len(patches), 'prediction')} of {method}: {file}")


def _tell_unfinished(count: int) -> None:
    from runs.words import counted

    if count:
        _say(f"Left out, because they have not ended: {counted(count, 'instance')}.")


def _tell_unused(grades: Grades, chosen: Sequence[Reselected], known: set[str]) -> None:
    """Say which grades from files belong to nothing, which a wrong file explains."""
    from runs.words import some

    if strange := sorted(grades.instances - known):
        _say(f"Grades not used, because the run has no such instance: {some(strange)}.")
    unmatched = [
        o.instance_id for o in chosen if o.instance_id in grades.instances and not o.grades
    ]
    if unmatched:
        _say(f"Grades not used, because they are of no candidate: {some(sorted(unmatched))}.")
        _say("  A grade belongs to a patch, or to its digest in the view candidates, column diff.")


def _tell_failed(errors: Mapping[str, TroopError]) -> None:
    for name, error in errors.items():
        _say(f"Left out, because no model could be asked: {name}: {error.message}")
    _say("The same command tries again.")


def _say(text: str) -> None:
    from runs.cli.shared.terminal import progress
    from runs.words import plain

    progress().print(plain(text), soft_wrap=True)
