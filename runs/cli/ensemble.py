r"""Choose between several systems' patches by the votes of tests.

Examples:
  troop ensemble --dataset verified --candidates a/preds.json c.jsonl --tests 10 --model gpt-4.1
  troop ensemble --dataset verified --candidates *.jsonl --tests-from first    a stored run's tests
  troop ensemble --dataset verified --candidates *.jsonl --tests-from first --grades grades.jsonl
  troop ensemble --dataset rows.jsonl --candidates a.json b.json --no-model    repository tests only

A file holds the predictions of one system, or of several that its rows name. The instances are
those of the dataset for which a system has a candidate; flags pick among them as in `troop run`.
Tests vote. If a model is named, the selection trajectory then chooses between the best; else the
votes decide.

It is a run like any other: the same command continues it, `troop show` shows it, and `troop select`
chooses from it again. Grades are looked at only when everything is chosen. Exit codes are those of
`troop run`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.shared.flags import (
    add_candidates,
    add_dataset,
    add_grades,
    add_parallel,
    add_work,
    configuration,
    dataset_name,
)
from runs.cli.shared.notes import tell
from runs.cli.shared.picking import add_picking, picked_instances
from runs.cli.shared.spellings import once_called
from runs.run.signals import run_to_end
from runs.store.places import database_url
from sandbox.protocol import Limits

if TYPE_CHECKING:
    import argparse

    from runs.run.config import Config
    from runs.run.session import Finished


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    what = parser.add_argument_group("what to choose between")
    once_called(parser, add_dataset(what), "old_dataset")
    add_candidates(what, required=True)
    add_picking(what)
    tests = parser.add_argument_group("tests that vote")
    tests.add_argument(
        "--tests",
        type=int,
        metavar="N",
        help="testing trajectories for each instance (default: 10; 0 with --tests-from or without"
        " a model)",
    )
    tests.add_argument(
        "--tests-from", default="", metavar="RUN[,RUN…]", help="use the tests of these stored runs"
    )
    tests.add_argument(
        "--tests-db", metavar="FILE", help="the database of those runs (default: --db)"
    )
    parser.add_argument("--no-model", action="store_true", help="ask no model: the votes decide")
    add_grades(parser)
    add_parallel(parser, "instances (default: 4)")
    add_work(parser, writing=False)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from data.predictions.systems import read_systems
    from runs.cli.shared.terminal import progress
    from runs.compare.ensemble import stored_tests, with_candidates
    from runs.compare.grades import read_grades
    from runs.run.batch import Outside
    from runs.run.session import Job, carry_out
    from runs.show.live import LiveDisplay

    config = _config(args)
    read_grades(*args.grades)  # malformed grades are an error before work begins
    notes: list[str] = []
    systems = read_systems(args.candidates, notes=notes)
    instances, outside = with_candidates(picked_instances(args), systems, notes)
    tests_db = database_url(args.tests_db if args.tests_db is not None else args.db)
    tests = stored_tests(tests_db, _runs(args.tests_from), instances, notes)
    tell(notes)
    if not instances:
        raise UsageError(
            "None of the candidates is for one of these instances.",
            hint="Look at --dataset and at the instance_id of each row.",
        )
    if not tests and config.samples.strategy == "none":
        tell(["No tests are given: at most the repository's own tests vote."])
    job = Job(
        dataset=dataset_name(args.dataset),
        instances=instances,
        config=config,
        database=database_url(args.db),
        name=args.name,
        fresh=args.fresh,
        replay=args.replay,
        take_over=args.take_over,
        outside=Outside(outside, tests),
    )
    finished = run_to_end(carry_out(job, LiveDisplay(progress())))
    return _show(args, finished, job.database)


def _config(args: argparse.Namespace) -> Config:
    """Settings of a run whose samples write only tests, or nothing.

    Raises:
        UsageError: tests are asked for, but no model is named to write them.
    """
    from selection.selectors import needs
    from selection.selectors.protocol import Needs

    defaults = {"samples.strategy": "tests-only"}
    if args.parallel is not None:
        defaults["batch.instances"] = args.parallel
    config = configuration(args, defaults)
    model = not args.no_model and (config.model.name or args.replay is not None)
    if args.tests is not None and args.tests < 0:
        raise UsageError("--tests must be 0 or more.")
    if args.tests and not model:
        raise UsageError(
            "No model is named that could write --tests.", hint="Give --model, or --tests 0."
        )
    samples, selection = config.samples, config.selection
    if args.tests:
        samples = replace(samples, strategy="tests-only", count=args.tests)
    elif args.tests == 0 or not model or args.tests_from:
        samples = replace(samples, strategy="none")
    if not model and needs(selection.selector) is not Needs.NOTHING:
        selection = replace(selection, selector=selection.votes)
    return replace(config, samples=samples, selection=selection)


def _runs(given: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))


def _show(args: argparse.Namespace, finished: Finished, database: str) -> int:
    """Print what was chosen and what it is worth; the exit code."""
    from runs.cli.shared.ending import exit_code
    from runs.cli.shared.measuring import grades_for
    from runs.cli.shared.terminal import progress, results
    from runs.compare.figures import figures
    from runs.compare.reselect import ended, graded, reselect
    from runs.show.selecting import selection_report
    from runs.store.reading import Reader
    from runs.words import plain

    with Reader(database) as reader:
        run = reader.run(finished.run)
        there = ended(reader.instances(run.name))
        chosen = run_to_end(reselect(reader, there, {}, Limits()))
        grades = grades_for(reader, run.name, args.grades)
        counted = None
        if grades is not None:
            chosen = graded(chosen, grades)
            counted = figures(chosen, [])
        if chosen:
            results().print(selection_report(run, chosen, [], counted))
    for said in (
        f"Other methods: troop select {run.name}",
        f"One instance: troop show {run.name} INSTANCE",
    ):
        progress().print(plain(said), soft_wrap=True)
    return exit_code(finished, patched=run.patched > 0)
