r"""Choose between several systems' patches, by votes of tests: a barrel of monkeys.

Examples:
  troop ensemble --dataset verified --candidates a/preds.json c.jsonl --tests 10 --model gpt-4.1
  troop ensemble --dataset verified --candidates *.jsonl --tests-from first    a stored run's tests
  troop ensemble --dataset verified --candidates *.jsonl --tests-from first --grades grades.jsonl
  troop ensemble --dataset rows.jsonl --candidates a.json b.json --no-model    only its own tests

Each file is a system, or several that its rows name. Instances are those of the dataset that
somebody has a candidate for; flags pick among them as in `troop run`. Tests vote, and where a model
is named the selection trajectory chooses between the best; else the votes' order stands.

It is a run like any other: resumed by the same command, shown by `troop show`, chosen from again by
`troop select`. Grades are looked at when everything is chosen.
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
        help="testing trajectories (10; 0 with --tests-from or without a model)",
    )
    tests.add_argument(
        "--tests-from", default="", metavar="RUN[,RUN…]", help="the tests of stored runs"
    )
    tests.add_argument(
        "--tests-db", metavar="FILE", help="the database that holds those runs (--db)"
    )
    parser.add_argument(
        "--no-model", action="store_true", help="the votes decide, whatever --config says"
    )
    add_grades(parser)
    add_parallel(parser, "instances (4)")
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
    read_grades(*args.grades)  # what is malformed is told before work begins
    notes: list[str] = []
    systems = read_systems(args.candidates, notes=notes)
    instances, outside = with_candidates(picked_instances(args), systems, notes)
    tests_db = database_url(args.tests_db if args.tests_db is not None else args.db)
    tests = stored_tests(tests_db, _runs(args.tests_from), instances, notes)
    tell(notes)
    if not instances:
        raise UsageError("none of the candidates is for one of these instances")
    if not tests and config.samples.strategy == "none":
        tell(["no tests are given: at most the repository's own vote"])
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
    """Settings of a run whose samples write tests only, if anything.

    Raises:
        UsageError: tests are asked for, and no model is there to write them.
    """
    from selection.selectors import needs
    from selection.selectors.protocol import Needs

    defaults = {"samples.strategy": "tests-only"}
    if args.parallel is not None:
        defaults["batch.instances"] = args.parallel
    config = configuration(args, defaults)
    model = not args.no_model and (config.model.name or args.replay is not None)
    if args.tests is not None and args.tests < 0:
        raise UsageError("--tests cannot be negative")
    if args.tests and not model:
        raise UsageError("somebody has to write the --tests", hint="give --model, or --tests 0")
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
    said = f"more: troop select {finished.run}   troop show {finished.run} INSTANCE"
    progress().print(plain(said), soft_wrap=True)
    return exit_code(finished, patched=run.patched > 0)
