"""Grade patches with a benchmark's own tests: those of a run, or of a predictions file.

Examples:
  troop grade last                                  the chosen patch of each instance
  troop grade first django__django-11099
  troop grade first --all-candidates                every candidate: coverage, pass@k
  troop grade first --with sandbox                  without the harness, and without network
  troop grade first --harness-python ~/swebench/bin/python
  troop grade --predictions preds.json --dataset verified --output graded.jsonl

The harness is the official SWE-bench harness, 4.1 to 5: pip install 'troop-repair[grade]'. Each
grade is stored as it comes in, by instance and patch, so equal patches are graded once. The same
command continues where it stopped. `troop select` and `troop sql` know the grades.

Exit codes:
  0  every patch has a grade
  1  some have none
  2  bad input
  3  Docker or an image
  5  the database or the disk
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.shared.flags import (
    add_database,
    add_dataset,
    add_instances,
    add_json,
    add_output,
    add_run,
)
from runs.cli.shared.grading import Watch, add_grading, grader_of, write_lines
from runs.cli.shared.outputs import check_output
from runs.cli.shared.streams import write_json
from runs.run.signals import run_to_end
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from data.instances.grading import Specs
    from runs.grading.figures import Graded
    from runs.grading.nouns import GradingTask
    from runs.grading.session import Key
    from runs.grading.stored import Stored
    from runs.grading.subjects import Subject


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    add_run(parser, "grade_run", optional=True)
    add_instances(parser)
    what = parser.add_argument_group("what to grade")
    what.add_argument(
        "--all-candidates",
        action="store_true",
        help="grade every candidate, not only the chosen ones",
    )
    what.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="grade the patches in this file instead of a run's; an instance may have several",
    )
    add_dataset(what, default="the run's")
    add_grading(parser.add_argument_group("who grades"))
    add_json(parser)
    add_output(
        parser,
        "all grades with their patches, as JSON Lines, for `troop select --grades`",
        "--write",
    )
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.cli.shared.terminal import results
    from runs.grading.figures import figures
    from runs.grading.session import grade_all
    from runs.show.grading import grading_document, grading_report

    check_output(args, "output")
    database = database_url(args.db)
    subjects, dataset = _subjects(args, database)
    watch = Watch()
    grader = grader_of(args, watch)
    specs = _specs(args, dataset, subjects)
    tasks = _tasks(subjects, specs)
    with watch:
        known = run_to_end(grade_all(tasks, grader, database, watch, again=args.again))
    found = [_of(subject, specs, known) for subject in subjects]
    counted = figures(found)
    if args.output is not None:
        _write(args.output, found, grader.name)
    if args.json:
        document = grading_document(found, counted, grader.name)
        write_json(document)
    else:
        every = args.all_candidates or len(subjects) > len({s.instance_id for s in subjects})
        results().print(grading_report(found, counted, grader.name, every=every))
    return 1 if any(each.resolved is None for each in found) else 0


def _subjects(args: argparse.Namespace, database: str) -> tuple[list[Subject], str]:
    """What is to be graded, and the dataset that it is for."""
    from runs.grading.subjects import of_predictions, of_run
    from runs.store.reading import Reader

    if args.predictions is not None:
        if args.dataset is None:
            raise UsageError("--predictions needs a dataset.", hint="Give --dataset, too.")
        names = [name for name in (args.grade_run, *args.instances) if name]
        notes: list[str] = []
        subjects = of_predictions(args.predictions, names, notes)
        for note in notes:
            _say(note)
        return subjects, args.dataset
    if args.grade_run is None:
        raise UsageError("Nothing to grade is named.", hint="Name a run, or give --predictions.")
    with Reader(database) as reader:
        found = reader.run(None if args.grade_run == "last" else args.grade_run)
        every = args.all_candidates
        return of_run(reader, found, args.instances, every=every), args.dataset or found.dataset


def _specs(args: argparse.Namespace, dataset: str, subjects: Sequence[Subject]) -> Specs:
    from data.instances.grading import load_specs

    try:
        return load_specs(dataset, args.split, {subject.instance_id for subject in subjects})
    except UsageError as error:
        if args.dataset is not None:
            raise
        raise UsageError(
            f"The run's dataset cannot be graded with: {error.message}",
            hint="Name the benchmark's dataset with --dataset.",
        ) from error


def _tasks(subjects: Sequence[Subject], specs: Specs) -> list[GradingTask]:
    """What can be graded; what cannot is said."""
    from runs.grading.nouns import GradingTask

    for instance_id, why in sorted(specs.refused.items()):
        _say(f"{instance_id}: cannot be graded: {why}")
    return [
        GradingTask.of(specs.found[subject.instance_id], subject.diff)
        for subject in subjects
        if subject.instance_id in specs.found
    ]


def _of(subject: Subject, specs: Specs, known: Mapping[Key, Stored]) -> Graded:
    from runs.grading.figures import Graded

    why = specs.refused.get(subject.instance_id, "")
    return Graded(subject, known.get(subject.key), why)


def _write(file: Path, found: Sequence[Graded], grader: str) -> None:
    from runs.words import counted

    rows = [
        {
            "instance_id": each.subject.instance_id,
            "model_name_or_path": each.subject.model,
            "model_patch": each.subject.diff,
            "resolved": each.resolved,
            "grader": grader,
            "judge": grader,  # the key of 0.1.0
        }
        for each in found
        if each.resolved is not None
    ]
    write_lines(file, map(json.dumps, rows))
    _say(f"{counted(len(rows), 'grade')}: {file}")


def _say(text: str) -> None:
    from runs.cli.shared.terminal import progress
    from runs.words import plain

    progress().print(plain(text), soft_wrap=True)
