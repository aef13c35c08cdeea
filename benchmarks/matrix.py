"""Measures how long 20 tests on 20 candidates take, in this project and in CodeMonkeys' way.

The instance and its candidates come from a kit: a folder with `instances.jsonl` and
`candidates.jsonl`, whose images the engine has. If there are fewer than 20 different candidates,
variants are added: copies of a candidate with one more unused name, which are other patches with
the same behaviour. The unedited code is in the matrix too, so there are 20 x 21 executions. The way
of CodeMonkeys, the reference, is measured on 8 x 8 and extrapolated.

    .venv/bin/python benchmarks/matrix.py [--kit DIR] [--instance ID] [--quick]

CPU is the CPU time of the whole machine, minus what it used while idle just before. The tests are
those of `parts/flask_tests.py`, so the instance must be one of Flask.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.parts.flask_tests import SCRIPTS
from benchmarks.parts.machine import BenchmarkError, describe_machine
from benchmarks.parts.race import our_way, their_way
from benchmarks.parts.rounds import say
from data.errors import TroopError
from data.instances.loaders import load_instances, pick_instances

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.parts.race import Filled, Race
    from data.instances.instance import Instance

KIT = Path(__file__).resolve().parents[2] / "shared" / "kit"
PROJECT = "pallets/flask"
ACROSS, THEIRS = 20, 8
GRACE_S = 15.0
"""What each execution of the reference's waits for `stop`, without any work."""


def the_instance(kit: Path, name: str) -> Instance:
    """The kit's instance.

    Raises:
        BenchmarkError: there is no kit, or the instance is another project's.
        UsageError: the kit has no such instance.
    """
    rows = kit / "instances.jsonl"
    if not rows.exists():
        raise BenchmarkError(f"skipped: there is no kit in {kit}")
    (instance,) = pick_instances(load_instances(str(rows)), [name])
    if instance.repo != PROJECT:
        raise BenchmarkError(f"the tests are for {PROJECT}, not {instance.repo}")
    return instance


def check_alike(ours: Filled, theirs: Filled) -> None:
    """Check that both ways give the same verdicts.

    Raises:
        BenchmarkError: they differ.
    """
    differ = [cell for cell, said in theirs.verdicts.items() if ours.verdicts[cell] != said]
    if differ:
        raise BenchmarkError(f"the two ways differ in the cells {differ}")


def table(race: Race, ours: Filled, tried: Sequence[tuple[int, Filled]]) -> Iterator[str]:
    """What it took, and how they compare."""
    threads, best = min(tried, key=lambda pair: pair[1].usage.wall)
    wall = extrapolated(best, ours.count, threads)
    variants = len(race.candidates) - race.real
    yield f"{describe_machine()}; {time.strftime('%B %Y')}"
    before = max(filled.usage.before for filled in (ours, *(filled for _, filled in tried)))
    yield f"Other work before a measurement: {before:.0%} of the machine at most"
    yield (
        f"{race.instance.instance_id}: {len(race.tests)} tests, {race.real} real candidates and"
        f" {variants} variants of them; votes {', '.join(map(str, ours.votes))}"
    )
    yield ""
    yield "| matrix | executions | wall, s | CPU, s | executions/s | CPU per execution, ms |"
    yield "|---|---|---|---|---|---|"
    yield _row("this project, with the unedited code", ours)
    for count, filled in tried:
        yield _row(f"the reference's way, {count} threads", filled)
    cpu = best.cpu * ours.count
    yield (
        f"| the same, extrapolated from {threads} threads | {ours.count} | {wall:.0f} | {cpu:.0f}"
        f" | {ours.count / wall:.2f} | {best.cpu * 1000:.0f} |"
    )
    yield ""
    yield (
        f"The reference's way takes {wall / ours.usage.wall:.1f} x the time and"
        f" {cpu / ours.usage.cpu:.1f} x the CPU, extrapolated from {best.count} executions by"
        f" {threads} threads. In its favour, the last {GRACE_S:.0f} s, when all wait, count once."
    )


def extrapolated(filled: Filled, count: int, threads: int) -> float:
    """The seconds that `count` executions would take.

    In a longer run, some threads work while others wait. So the time in which all threads
    waited counts only once. But no execution of a thread is shorter than its grace period.
    """
    working = max(filled.usage.wall - GRACE_S, 0.0) * count / filled.count
    return max(GRACE_S + working, GRACE_S * count / threads)


def _row(title: str, filled: Filled) -> str:
    usage = filled.usage
    return (
        f"| {title} | {filled.count} | {usage.wall:.1f} | {usage.cpu:.1f}"
        f" | {filled.count / usage.wall:.2f} | {filled.cpu * 1000:.0f} |"
    )


def carry_out(args: argparse.Namespace) -> None:
    """Everything.

    Raises:
        BenchmarkError, TroopError: it cannot be measured here.
    """
    instance = the_instance(args.kit, args.instance)
    across, theirs_across = (6, 4) if args.quick else (ACROSS, THEIRS)
    with tempfile.TemporaryDirectory() as name:
        work = our_way(args.kit, instance, SCRIPTS, across, args.executions, Path(name))
        race, ours = asyncio.run(work)
    say(f"This project: {ours.count} executions in {ours.usage.wall:.1f} s")
    tried = []
    for threads in args.threads:
        theirs = their_way(race, theirs_across, threads, args.network)
        say(f"The reference's way, {threads} threads: {theirs.count} in {theirs.usage.wall:.1f} s")
        check_alike(ours, theirs)
        tried.append((threads, theirs))
    print("\n".join(table(race, ours, tried)))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kit", type=Path, default=KIT, help="a folder; see above")
    parser.add_argument("--instance", default="pallets__flask-5063")
    parser.add_argument(
        "--executions",
        type=int,
        default=os.cpu_count(),
        help="at the same time, in this project",
    )
    parser.add_argument(
        "--threads", type=int, nargs="+", default=(32, 64), help="for the reference's way"
    )
    parser.add_argument("--network", default="bridge", help="of the reference's containers")
    parser.add_argument("--quick", action="store_true", help="6 x 6 and 4 x 4; rough figures")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        carry_out(args)
    except (BenchmarkError, TroopError) as error:
        sys.exit(f"benchmark: {error}")


if __name__ == "__main__":
    main()
