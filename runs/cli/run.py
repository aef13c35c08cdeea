r"""Repair many instances of a dataset in one run, several at a time.

Examples:
  troop run --dataset verified --model gpt-4.1 --name first
  troop run --dataset rows.jsonl --instances a__b-1,a__b-2 --samples 4 --model qwen3-coder \
      --base-url http://localhost:8000/v1
  troop run --dataset lite --filter django --shuffle --seed 7 --slice :50 --model gpt-4.1
  troop run --dataset verified --exclude broken.txt --model gpt-4.1

Instances are picked in this order: --instances, --filter, --exclude, --shuffle, --slice. The same
command continues where the run stopped, and tries again what failed; with a higher --samples it
adds samples. Several processes may work on one run: each instance belongs to one of them, and the
instances of a process that is gone are taken over.

Exit codes:
  0  every instance was worked on, and at least one patch came out (`troop show` says how many
     are supported by tests)
  1  no patch came out
The others are those of `troop --help`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.cli.shared.flags import (
    add_dataset,
    add_parallel,
    add_work,
    configuration,
    dataset_name,
    outside_candidates,
)
from runs.cli.shared.picking import add_picking, picked_instances
from runs.run.signals import run_to_end
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    what = parser.add_argument_group("what to repair")
    add_dataset(what, required=True)
    add_picking(what)
    add_parallel(parser, "instances (default: 4)")
    add_work(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    parallel = {"batch.instances": args.parallel} if args.parallel is not None else {}
    config = configuration(args, parallel)
    instances = picked_instances(args)
    outside = outside_candidates(args.candidates)

    from runs.cli.shared.ending import show_run
    from runs.cli.shared.terminal import progress
    from runs.run.batch import Outside
    from runs.run.session import Job, carry_out
    from runs.show.live import LiveDisplay

    job = Job(
        dataset=dataset_name(args.dataset),
        instances=instances,
        config=config,
        database=database_url(args.db),
        name=args.name,
        fresh=args.fresh,
        replay=args.replay,
        take_over=args.take_over,
        outside=Outside(outside),
    )
    finished = run_to_end(carry_out(job, LiveDisplay(progress())))
    return show_run(finished, job.database)
