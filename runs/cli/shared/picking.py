"""The flags that pick instances of a dataset, and the instances they pick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from data.instances.instance import Instance


def add_picking(group: argparse._ArgumentGroup) -> None:
    """The flags that pick; they are applied in the order in which they stand here."""
    group.add_argument(
        "--instances", metavar="ID[,ID…]", help="only these instances (default: all)"
    )
    group.add_argument(
        "--filter", default="", metavar="REGEX", help="only ids whose beginning it matches"
    )
    group.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="leave out the ids in this file: one a line, with # comments, or a JSON list",
    )
    group.add_argument("--shuffle", action="store_true", help="put them in random order")
    group.add_argument(
        "--seed", type=int, metavar="N", help="random seed: for --shuffle (default: 42)"
    )
    group.add_argument(
        "--slice",
        default="",
        metavar="A:B",
        help="only these positions, as in Python: 0:50, :10, ::2, or --slice=-10: with a minus",
    )


def picked_instances(args: argparse.Namespace) -> list[Instance]:
    """The instances that the flags name.

    Raises:
        UsageError: the dataset cannot be read, a flag is malformed, or nothing is left.
    """
    from data.instances.loaders import load_instances, pick_instances
    from data.instances.picking import SEED, Picking, pick, read_ids

    if args.seed is not None and not args.shuffle:
        raise UsageError("--seed is for --shuffle.", hint="Give --shuffle, too.")
    picking = Picking(
        filter=args.filter,
        exclude=frozenset(read_ids(args.exclude)) if args.exclude else (),
        shuffle=args.shuffle,
        seed=SEED if args.seed is None else args.seed,
        slice=args.slice,
    )
    if args.dataset is None:
        raise UsageError("No dataset is named.", hint="Give --dataset.")
    pick([], picking)  # malformed flags are an error before a dataset is downloaded
    instances = load_instances(args.dataset, split=args.split)
    if args.instances is not None:
        ids = [each.strip() for each in args.instances.split(",") if each.strip()]
        if not ids:
            raise UsageError(
                "--instances names none.", hint="For example: --instances a__b-1,a__b-2"
            )
        instances = pick_instances(instances, ids)
    return pick(instances, picking)
