"""Look at what is stored: all runs, a run, an instance with its votes, a trajectory.

Examples:
  troop show                                              all runs
  troop show last                                         the run that was begun last
  troop show first                                        a run with its instances
  troop show first django__django-11099                   patch, vote matrix, choice, cost
  troop show first django__django-11099 --trajectories    its conversations with the model
  troop show first django__django-11099 sample-3/editing
  troop show first django__django-11099 --sample 3
  troop show first django__django-11099 --patch-only

A run of one instance shows that instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.shared.flags import add_database, add_patch_only, add_run
from runs.cli.shared.spellings import once_called
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse

    from runs.store.reading import Reader
    from runs.store.story import Story


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    add_run(parser, "show_run", optional=True)
    parser.add_argument("instance", nargs="?", metavar="INSTANCE", help="an instance's id")
    parser.add_argument(
        "trajectory", nargs="?", metavar="TRAJECTORY", help="for example sample-1/testing"
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="show both trajectories of sample N"
    )
    once_called(parser, add_patch_only(parser), "--patch")
    parser.add_argument("--trajectories", action="store_true", help="list its trajectories")
    parser.add_argument("--full", action="store_true", help="show the whole context, too")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.store.reading import Reader

    with Reader(database_url(args.db)) as reader:
        return _show(args, reader)


def _show(args: argparse.Namespace, reader: Reader) -> int:
    from runs.cli.shared.terminal import results, write_patch
    from runs.show.instance import instance_report
    from runs.show.lists import run_report, runs_list, trajectories_list

    console = results()
    if args.show_run is None:
        console.print(runs_list(reader))
        return 0
    found = reader.run(None if args.show_run == "last" else args.show_run)
    deeper = args.trajectory or args.sample or args.patch_only or args.trajectories
    if args.instance is None and not deeper and found.instances != 1:
        console.print(run_report(reader, found))
        return 0
    story = reader.story(reader.instance(found.name, args.instance))
    if args.patch_only:
        write_patch(story.patch)
        return 0 if story.patch else 1
    if args.trajectory or args.sample:
        _show_trajectories(args, story)
    elif args.trajectories:
        console.print(trajectories_list(story))
    else:
        console.print(instance_report(story))
    return 0


def _show_trajectories(args: argparse.Namespace, story: Story) -> None:
    from runs.cli.shared.terminal import results
    from runs.show.choice import letters
    from runs.show.trajectory import trajectory_report
    from runs.words import listed

    keys = [args.trajectory]
    if args.sample:
        keys = [one.key for one in story.trajectories if one.sample == args.sample]
        if not keys:
            there = listed(story.numbers) if story.numbers else "none"
            raise UsageError(
                f"There is no sample {args.sample} of {story.name}.",
                hint=f"Samples that have begun: {there}.",
            )
    for key in keys:
        talk, meant = story.conversation(key), letters(story, key)
        results().print(trajectory_report(talk, full=args.full, letters=meant))
