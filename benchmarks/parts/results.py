"""The tables: latency, CPU, throughput, and the goals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.parts.machine import middle, tenths
from benchmarks.parts.rounds import ratios

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.parts.rounds import Batch

FLOOR, FIXED, FRESH, RUN, REFERENCE = "floor", "fixed", "fresh", "run", "reference"


@dataclass(slots=True)
class Results:
    """All batches of one run of the benchmark."""

    titles: dict[str, str] = field(default_factory=dict)
    serial: defaultdict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    swept: defaultdict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    finals: defaultdict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    """At each contender's best worker count."""

    def latency(self, name: str) -> float:
        """The median of all serial executions, in seconds."""
        return middle([took for batch in self.serial[name] for took in batch.took])

    def rate(self, name: str) -> float:
        """Executions per second at the best worker count: the median of the rounds."""
        return middle([batch.rate for batch in self.finals[name]])

    def busy_before(self) -> tuple[float, float]:
        """The share of the machine that other work used: the median and the maximum."""
        kinds = (self.serial, self.swept, self.finals)
        seen = [b.usage.before for kind in kinds for batches in kind.values() for b in batches]
        return middle(seen), max(seen, default=float("nan"))

    def over(self, name: str, of: str, other: str = FLOOR) -> float:
        """The median of the rounds' ratios to `other`."""
        rounds = self.finals if of == "rate" else self.serial
        return middle(ratios(rounds[name], rounds[other], of))


def serial_table(results: Results) -> Iterator[str]:
    """One script after the other."""
    yield (
        "| one at a time | latency, ms: median (p10 to p90) | x floor"
        " | CPU, ms | of them this process | x floor |"
    )
    yield "|---|---|---|---|---|---|"
    for name, title in results.titles.items():
        batches = results.serial[name]
        if not batches:
            continue
        low, high = tenths([took for batch in batches for took in batch.took])
        cpu, own = middle([b.cpu for b in batches]), middle([b.own for b in batches])
        yield (
            f"| {title} | {_ms(results.latency(name))} ({_ms(low)} to {_ms(high)})"
            f" | {_times(results.over(name, 'latency'))} | {_ms(cpu)} | {_ms(own)}"
            f" | {_times(results.over(name, 'cpu'))} |"
        )


def saturated_table(results: Results) -> Iterator[str]:
    """As many executions as possible."""
    yield (
        "| with the best number of workers | workers | executions/s | x floor | CPU, ms"
        " | workers tried: executions/s |"
    )
    yield "|---|---|---|---|---|---|"
    for name, title in results.titles.items():
        batches = results.finals[name]
        if not batches:
            continue
        tried = ", ".join(f"{batch.workers}: {batch.rate:.1f}" for batch in results.swept[name])
        yield (
            f"| {title} | {batches[0].workers} | {results.rate(name):.1f}"
            f" | {_times(results.over(name, 'rate'))}"
            f" | {_ms(middle([b.cpu for b in batches]))} | {tried} |"
        )


def goals_table(results: Results, cores: int) -> Iterator[str]:
    """The goals, and whether they are met; goals that were not measured are left out."""
    yield "| goal | measured | result |"
    yield "|---|---|---|"
    for which in (FIXED, FRESH):
        if not results.serial[which]:
            continue
        title = results.titles[which].split(":")[-1].strip()
        for goal, value, least, most in _goals(results, which, cores):
            if value == value:  # noqa: PLR0124 - not nan
                met = least <= value <= most
                yield f"| {goal} ({title}) | {value:.2f} | {'met' if met else '**not met**'} |"


def _goals(results: Results, which: str, cores: int) -> Iterator[tuple[str, float, float, float]]:
    """Each goal, the measured value, and the limits of the value."""
    far = float("inf")
    yield "latency ≤ 1.5 x floor", results.over(which, "latency"), 0, 1.5
    yield "CPU ≤ 1.6 x floor", results.over(which, "cpu"), 0, 1.6
    rate = results.over(which, "rate")
    yield f"throughput ≥ 0.75 x floor, {cores} cores", rate, 0.75, far
    anew = results.over(which, "rate", RUN)
    yield "throughput ≥ 8 x docker run --rm --network none", anew, 8, far
    ours = results.rate(which)
    yield "throughput ≥ 20 x the reference's best", ours / results.rate(REFERENCE), 20, far
    slow = results.latency(REFERENCE) / results.latency(which)
    yield "latency ≥ 400 x better than the reference's", slow, 400, far


def _ms(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"  # noqa: PLR2004 - three digits


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio == ratio else "-"  # noqa: PLR0124 - nan
