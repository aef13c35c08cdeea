"""Measures what one execution of a script costs: in this sandbox, at the least, and in other ways.

Each way is called a contender. All contenders use one image, which is made for the benchmark and
removed at the end. It has a generated repository of 3 MB in 300 Python files. All do the same work:
they apply a 14-line patch to one file, run a script that imports 22 modules, and return its output,
which is compared with the expected output. The floor is the least that this work can cost.

    .venv/bin/python benchmarks/executions.py [--quick] [--rounds N] [--only floor,fixed,...]

Contenders take turns in rounds, because machines are noisy. A ratio to the floor is the median of
the ratios within each round. CPU is the CPU time of the whole machine, the Docker engine and this
process included (/proc/stat), minus what the idle machine used just before. The floor needs root
and an engine on this machine. Run the benchmark on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.parts.breakdown import breakdown
from benchmarks.parts.engine_ways import Exec, Reference, Run
from benchmarks.parts.floor import Floor
from benchmarks.parts.image import bench, lay
from benchmarks.parts.machine import BenchmarkError, describe_machine
from benchmarks.parts.ours import Ours, Providers
from benchmarks.parts.results import (
    FIXED,
    FLOOR,
    FRESH,
    REFERENCE,
    RUN,
    Results,
    goals_table,
    saturated_table,
    serial_table,
)
from benchmarks.parts.rounds import Entrant, counted, rotated, saturated, say, serial
from benchmarks.parts.workload import REPO_DIR, Workload, target
from sandbox.docker.containers.settings import script_variables
from sandbox.docker.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.parts.contender import Contender
    from benchmarks.parts.image import Bench
    from benchmarks.parts.workload import Job

ALONE, EXEC, COLD = "alone", "exec", "cold"
NAMES = (FLOOR, ALONE, FIXED, FRESH, EXEC, RUN, COLD, REFERENCE)
WORKERS = (1, 2, 3, 4, 8)
REFERENCE_WORKERS = (16, 32, 64)
WAVES = 3
"""Executions of the reference for each of the most workers; with fewer it only waits, once."""


class Alone(Floor):
    """The script on the unedited code."""

    name = ALONE
    title = "floor: the script alone in a chroot"


def entrants(
    args: argparse.Namespace, here: Bench, image: str, work: Workload, providers: Providers
) -> list[Entrant]:
    """Those that were asked for, in the order of the table."""
    variables = variables_of(image)
    changed = target(work.files())
    run = Run(here, image, variables)
    every: dict[str, tuple[Contender, Callable[[], Job], int]] = {
        FLOOR: (Floor(here, image, variables, changed), work.fresh, 25),
        ALONE: (Alone(here, image, variables, changed), work.plain, 25),
        FIXED: (Ours(providers, FIXED, "this sandbox: one patch"), work.fixed, 25),
        FRESH: (Ours(providers, FRESH, "this sandbox: a new patch each"), work.fresh, 25),
        EXEC: (Exec(here, image, variables), work.fresh, 15),
        RUN: (run, work.fresh, 6),
        COLD: (
            Ours(providers, COLD, "this sandbox's fallback: a new container each", warm=False),
            work.fresh,
            4,
        ),
        REFERENCE: (Reference(here, image, variables, network=args.network), work.fresh, 1),
    }
    found = []
    for name in args.only:
        contender, make, batch = every[name]
        try:
            contender.prepare(1)
        except BenchmarkError as error:
            say(f"{name} is left out: {error}")
            continue
        found.append(Entrant(contender, make, batch, warm_up=name != REFERENCE))
    if RUN in args.only:
        run.choose(work.fresh())
    return found


def variables_of(image: str) -> Mapping[str, str]:
    """The environment variables of scripts in this sandbox; all contenders get the same."""
    with contextlib.closing(Engine.connect()) as engine:
        return script_variables(engine.image(image), REPO_DIR)


def check_same(found: Sequence[Entrant], work: Workload) -> str:
    """Check that all contenders have the same interpreter, files and variables; returns them.

    Raises:
        BenchmarkError: they differ.
    """
    seen: dict[str, list[str]] = {}
    for entrant in found:
        if entrant.name != ALONE:
            output = entrant.contender.output(work.identity())
            seen.setdefault(output, []).append(entrant.name)
    if len(seen) != 1:
        raise BenchmarkError(f"the contenders differ: {seen}")
    return next(iter(seen))


def measure(args: argparse.Namespace, found: Sequence[Entrant], results: Results) -> None:
    """Serial rounds, then the search for the best worker count, then rounds with it."""
    fast = [entrant for entrant in found if entrant.name != REFERENCE]
    slow = [entrant for entrant in found if entrant.name == REFERENCE]
    say("One at a time")
    for number in range(args.rounds):
        now = [*rotated(fast, number), *(slow if number < args.reference_rounds else [])]
        for entrant in now:
            results.serial[entrant.name].append(serial(entrant, number))
    say("Find the best number of workers")
    for workers in WORKERS:
        for entrant in fast:
            batch = saturated(entrant, 0, workers, args.seconds)
            results.swept[entrant.name].append(batch)
    say("With the best number of workers")
    for number in range(args.rounds // 2 or 1):
        for entrant in rotated(fast, number):
            best = max(results.swept[entrant.name], key=lambda batch: batch.rate).workers
            results.finals[entrant.name].append(saturated(entrant, number, best, args.seconds))
    for entrant in slow:
        for workers in args.reference_workers:
            count = workers * (WAVES if workers == max(args.reference_workers) else 1)
            results.swept[entrant.name].append(counted(entrant, 0, workers, count))
        best_one = max(results.swept[entrant.name], key=lambda batch: batch.rate)
        results.finals[entrant.name].append(best_one)


def tables(results: Results, same: str, image: str) -> Iterator[str]:
    """All that is printed at the end."""
    cores = os.cpu_count() or 1
    yield f"{describe_machine()}; {image}; {time.strftime('%B %Y')}"
    usual, most = results.busy_before()
    yield f"Other work just before: {usual:.0%} of the machine (median), {most:.0%} at most"
    yield f"The same for all contenders: {same.strip()}"
    for table in (serial_table(results), saturated_table(results), goals_table(results, cores)):
        yield ""
        yield from table


def carry_out(args: argparse.Namespace) -> None:
    """Everything.

    Raises:
        BenchmarkError: a contender did not do the work.
    """
    work = Workload()
    results = Results()
    with bench() as here:
        image = lay(here, args.image, work.files())
        with Providers(image, f"benchmark-{here.token}") as providers:
            found = entrants(args, here, image, work, providers)
            say("Check that all contenders run the same")
            same = check_same(found, work)
            results.titles = {entrant.name: entrant.contender.title for entrant in found}
            try:
                measure(args, found, results)
            finally:  # what was measured before something failed
                say("\n")
                image = args.image or "an image of this machine's Python"
                print("\n".join(tables(results, same, image)))
            floors = [entrant.contender for entrant in found if entrant.name == FLOOR]
            if floors and FIXED in results.titles:
                print("\n" + "\n".join(breakdown(providers, floors[0], work, args.rounds)))


def names(text: str) -> list[str]:
    """Contenders as the command line names them."""
    chosen = text.split(",")
    if unknown := set(chosen) - set(NAMES):
        raise argparse.ArgumentTypeError(f"not one of {', '.join(NAMES)}: {', '.join(unknown)}")
    return [name for name in NAMES if name in chosen]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", help="an image with Python, git, tail and timeout")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument(
        "--seconds", type=float, default=1.5, help="for each measurement of throughput"
    )
    parser.add_argument("--only", type=names, default=list(NAMES), help=",".join(NAMES))
    parser.add_argument("--reference-rounds", type=int, default=3)
    parser.add_argument("--reference-workers", type=int, nargs="*", default=REFERENCE_WORKERS)
    parser.add_argument("--network", default="bridge", help="of the reference's containers")
    parser.add_argument("--quick", action="store_true", help="only a few rounds, for rough figures")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds, args.reference_rounds = 2, 1.0, 1
        args.reference_workers = REFERENCE_WORKERS[-1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        carry_out(args)
    except BenchmarkError as error:
        sys.exit(f"benchmark: {error}")
    say(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
