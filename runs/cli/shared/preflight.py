"""`troop data check --preflight`: whether instances can be graded at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runs.cli.shared.flags import add_database, add_output
from runs.cli.shared.grading import Watch, add_grading, grader_of, write_lines
from runs.cli.shared.streams import write_json
from runs.run.signals import run_to_end
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from data.instances.instance import Instance
    from runs.grading.preflight import Fitness


def add_preflight(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    group = parser.add_argument_group("preflight")
    group.add_argument(
        "--preflight",
        action="store_true",
        help="grade the gold patch, and a patch that changes nothing",
    )
    add_grading(group)
    add_output(group, "the ids of instances that are not fit, for --exclude", "--write-exclude")
    add_database(group)


def preflight(args: argparse.Namespace, instances: Sequence[Instance]) -> int:
    """Grade, show, write the list; the exit code."""
    from data.instances.grading import load_specs
    from runs.cli.shared.terminal import results
    from runs.grading.preflight import fitness, preflight_tasks
    from runs.grading.session import grade_all

    watch = Watch()
    grader = grader_of(args, watch)
    ids = [instance.instance_id for instance in instances]
    specs = load_specs(args.dataset, args.split, ids)
    tasks = preflight_tasks(specs)
    with watch:
        database = database_url(args.db)
        known = run_to_end(grade_all(tasks, grader, database, watch, again=args.again))
    found = fitness(ids, specs, known)
    if args.output is not None:
        _write(args.output, found, grader.name)
    if args.json:
        write_json(_document(found, grader.name))
    else:
        from runs.show.preflight import preflight_report

        results().print(preflight_report(found, grader.name))
    return 1 if any(each.unfit or each.unknown for each in found) else 0


def _document(found: Sequence[Fitness], grader: str) -> dict[str, object]:
    return {
        "grader": grader,
        "judge": grader,  # the key of 0.1.0
        "instances": [
            {
                "instance_id": each.instance_id,
                "gold": None if each.gold is None else each.gold.outcome.value,
                "no_edit": None if each.no_edit is None else each.no_edit.outcome.value,
                "fit": None if each.unknown else not each.unfit,
                "why": each.unfit or each.unknown,
            }
            for each in found
        ],
    }


def _write(file: Path, found: Sequence[Fitness], grader: str) -> None:
    from runs.words import visible

    whys = {each.instance_id: visible(" ".join(each.unfit.split())) for each in found if each.unfit}
    lines = [f"# Not fit to be graded, by the {grader}: `troop data check --preflight`"]
    lines += [f"{instance_id}  # {why}" for instance_id, why in whys.items()]
    write_lines(file, lines)
