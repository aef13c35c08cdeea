"""Look at datasets: which ones Troop knows, what it reads of a row, which images are here.

Examples:
  troop data list
  troop data show django__django-11099 --dataset lite
  troop data show getmoto__moto-7365 --dataset gym:rows.parquet --json
  troop data check --dataset verified --filter django --slice :50
  troop data check --dataset verified --preflight --output unfit.txt

With --preflight, two patches are graded for each instance: the gold patch must be resolved, and a
patch that changes nothing must not. None of these commands shows what a benchmark grades with:
tests, gold patch, hints and evaluation scripts. A file is recognised by its columns; NAME:FILE says
which dataset it belongs to.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from runs.cli.shared.flags import add_dataset, add_json
from runs.cli.shared.outputs import check_output
from runs.cli.shared.picking import add_picking, picked_instances
from runs.cli.shared.preflight import add_preflight, preflight
from runs.cli.shared.streams import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.instances.instance import Instance
    from runs.doctor.images import Stock

_PLAIN = argparse.RawDescriptionHelpFormatter


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's subcommands."""
    found = parser.add_subparsers(dest="what", metavar="WHAT", title="what", required=True)
    table = found.add_parser("list", help="list the datasets that Troop knows")
    show = found.add_parser(
        "show",
        help="show what Troop reads of a row",
        description="Show what Troop reads of a row. What the benchmark grades with is never read.",
        epilog="Examples:\n  troop data show django__django-11099 --dataset lite",
        formatter_class=_PLAIN,
    )
    show.add_argument("instance", metavar="INSTANCE", help="an instance's id")
    check = found.add_parser(
        "check",
        help="show which images are here, and which must be pulled",
        description="Show which images of a dataset are here, and which must be pulled.",
        epilog="Examples:\n  troop data check --dataset verified --filter django --slice :50\n"
        "  troop data check --dataset verified --preflight --output unfit.txt\n"
        "  troop run --dataset verified --exclude unfit.txt --model gpt-4.1\n\n"
        "Exit codes:\n  0  done; with --preflight: all instances are fit\n"
        "  1  with --preflight: some are not fit, or it is not known\n"
        "  2  bad input\n  3  no Docker engine answers",
        formatter_class=_PLAIN,
    )
    for each in (show, check):
        add_dataset(each.add_argument_group("dataset"), required=True)
    add_picking(check.add_argument_group("which instances"))
    add_preflight(check)
    for each in (table, show, check):
        add_json(each)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    if args.what == "check" and args.preflight:
        check_output(args, "output")
        return preflight(args, picked_instances(args))
    {"list": _list, "show": _show, "check": _check}[args.what](args)
    return 0


def _list(args: argparse.Namespace) -> None:
    from data.instances.family import FAMILY
    from runs.show.datasets import CHOOSE_SPLIT, ROWS_IMAGE, datasets_report

    if args.json:
        rows = [
            {
                "alias": each.alias,
                "dataset": each.hub,
                "split": each.split or CHOOSE_SPLIT,
                "image": each.image or ROWS_IMAGE,
                "folder": each.folder,
                "note": each.note,
                "also": each.also,
            }
            for each in FAMILY
        ]
        write_json(rows)
        return
    from runs.cli.shared.terminal import results

    results().print(datasets_report(FAMILY))


def _show(args: argparse.Namespace) -> None:
    from data.instances.loaders import load_instances, pick_instances
    from runs.cli.shared.terminal import results
    from runs.show.datasets import row_report

    (instance,) = pick_instances(load_instances(args.dataset, split=args.split), [args.instance])
    taken = _taken(instance)
    if args.json:
        write_json(taken)
        return
    results().print(row_report(taken), soft_wrap=True)


def _taken(instance: Instance) -> dict[str, Any]:
    from data.languages.languages import find_language

    where = instance.environment
    language = find_language(where.language)
    return {
        "instance_id": instance.instance_id,
        "repo": instance.repo,
        "base_commit": instance.base_commit,
        "image": where.image or "",
        "folder": where.repo_dir,
        "activate": where.activate,
        "setup": where.setup,
        "language": where.language or "unknown",
        "scripts": language.script.name if where.language else "by the repository's files",
        "problem_statement": instance.problem_statement,
    }


def _check(args: argparse.Namespace) -> None:
    instances = picked_instances(args)
    names = [each.environment.image for each in instances]
    stock = _stock(names)
    if args.json:
        write_json(
            {
                "instances": len(instances),
                "here": dict(stock.here),
                "to_pull": list(stock.missing),
                "without_image": [
                    each.instance_id for each in instances if not each.environment.image
                ],
            }
        )
        return
    from runs.cli.shared.stock import stock_report
    from runs.cli.shared.terminal import results

    results().print(stock_report(instances, stock), soft_wrap=True)


def _stock(names: Sequence[str | None]) -> Stock:
    from runs.doctor.images import Stock, take_stock
    from sandbox.kinds.gc import connected

    with connected() as (engine, why_not):
        if engine is None:
            from data.errors import SandboxUnavailable

            raise SandboxUnavailable(
                f"No Docker engine says which images are here: {why_not}",
                hint="Start Docker. For more: troop doctor",
            )
        found = take_stock(names, engine.stored_images())
        # The engine's list leaves digests out.
        pinned = {name: 0 for name in found.missing if "@" in name and engine.has_image(name)}
    missing = [name for name in found.missing if name not in pinned]
    return Stock(found.instances, {**found.here, **pinned}, missing)
