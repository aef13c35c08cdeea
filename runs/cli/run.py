r"""Repair many instances of a dataset in one run, several at a time.

Examples:
  troop run --dataset verified --model gpt-4.1 --name first
  troop run --dataset rows.jsonl --instances a__b-1,a__b-2 --samples 4 --model qwen3-coder \
      --base-url http://localhost:8000/v1

The same command again goes on where the run stopped, and tries again what failed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from runs.cli.flags import DATASET_HELP, add_work, configuration, dataset_name, outside_candidates
from runs.places import database_url

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    what = parser.add_argument_group("what to repair")
    what.add_argument(
        "--dataset",
        required=True,
        metavar="D",
        help=DATASET_HELP,
    )
    what.add_argument("--split", help="the dataset's split (test)")
    what.add_argument(
        "--instances", metavar="ID,ID", help="only these (comma-separated); default: all"
    )
    parser.add_argument("--parallel", type=int, metavar="N", help="instances worked on at once (4)")
    add_work(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    parallel = {"engine.instances": args.parallel} if args.parallel is not None else {}
    config = configuration(args, parallel)
    from data.loaders import load_instances, pick_instances

    instances = load_instances(args.dataset, split=args.split)
    if args.instances:
        instances = pick_instances(instances, [i.strip() for i in args.instances.split(",")])
    outside = outside_candidates(args.candidates)

    from runs.cli.ending import show_run
    from runs.cli.terminal import progress
    from runs.session import Job, carry_out

    job = Job(
        dataset=dataset_name(args.dataset),
        instances=instances,
        config=config,
        database=database_url(args.db),
        name=args.name,
        fresh=args.fresh,
        replay=args.replay,
        outside=outside,
    )
    finished = asyncio.run(carry_out(job, progress()))
    return show_run(finished, job.database)
