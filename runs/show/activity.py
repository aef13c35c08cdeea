"""What is under way, in words: in which stage, what is waited for, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.journal import Kind
from agent.observer import Doing, Stage
from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runs.show.progress import Count, InstanceProgress

_STAGES = {
    Stage.RELEVANCE: "reading files",
    Stage.RANKING: "ranking files",
    Stage.SAMPLES: "samples ended",
    Stage.REPOSITORY_TESTS: "repository test files tried",
    Stage.MATRIX: "verdicts",
    Stage.REPEATS: "repeating tests that count",
}
_ORDER = (Doing.MODEL, Doing.SCRIPT, Doing.CALL_SLOT, Doing.SANDBOX_SLOT)
SAMPLES_NAMED = 4
"""The most samples whose work a log line names each; with more, they are only counted."""
INSTANCES_NAMED = 4


def seconds(count: float) -> str:
    """For example "41 s" or "12:05"."""
    return f"{count:.0f} s" if count < 120 else clock(count)  # noqa: PLR2004


def clock(count: float) -> str:
    """For example "2:05" or "1:02:05"."""
    minutes, rest = divmod(round(count), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def stage(progress: InstanceProgress) -> str:
    """How an instance stands: its stage with its count, or how it ended."""
    if progress.status is not Status.RUNNING:
        return f"{progress.status.words}" + (f": {progress.error}" if progress.error else "")
    if progress.opening:
        return progress.opening
    step = progress.stage_now
    if step is None:
        return "getting ready"
    if step in {Stage.SELECTION, Stage.JUDGE}:
        return f"{step}, turn {progress.turns.get(Kind(step), 1)}"
    return f"{_STAGES[step]}: {count(progress.stages[step])}"


def count(counted: Count, of: str = " of ") -> str:
    """For example "12 of 40", or "12" where the total is not known."""
    return f"{counted.done}{of}{counted.total}" if counted.total else f"{counted.done}"


def activity(under_way: Iterable[tuple[Doing, float]], now: float) -> str:
    """For example "waiting for the model 41 s, running a script (3, longest 12 s)"."""
    begun: dict[Doing, list[float]] = {}
    for doing, since in under_way:
        begun.setdefault(doing, []).append(since)
    return ", ".join(
        _counted(doing, [now - since for since in begun[doing]])
        for doing in _ORDER
        if doing in begun
    )


def _counted(doing: Doing, passed: list[float]) -> str:
    if len(passed) == 1:
        return f"{doing} {seconds(passed[0])}"
    return f"{doing} ({len(passed)}, longest {seconds(max(passed))})"


def of_instance(progress: InstanceProgress, now: float, *, with_samples: bool = True) -> str:
    """What an instance does: its stage, then what is under way.

    `with_samples`: say how many samples have ended, too.
    """
    doing = activity(list(progress.effects.values()), now)
    if doing and progress.stage_now is Stage.SAMPLES and not with_samples:
        return doing
    return f"{stage(progress)}; {doing}" if doing else stage(progress)


def of_sample(progress: InstanceProgress, number: int, now: float) -> str:
    """What a sample waits for; "": nothing known."""
    under_way = [
        what
        for effect, what in list(progress.effects.items())
        if any(trajectory.sample == number for trajectory in list(effect.trajectories))
    ]
    return activity(under_way, now)


def heartbeat(instances: Iterable[InstanceProgress], now: float) -> list[str]:
    """What is under way, in few enough lines for a log every minute."""
    everyone = list(instances)
    running = [one for one in everyone if one.status is Status.RUNNING]
    lines = [] if len(everyone) == 1 else [tally(everyone)]
    for progress in running[:INSTANCES_NAMED]:
        lines.append(f"{progress.instance_id}: {of_instance(progress, now)}")
        if len(running) == 1:
            lines += _samples(progress, now)
    if len(running) > INSTANCES_NAMED:
        rest = [what for one in running[INSTANCES_NAMED:] for what in list(one.effects.values())]
        others = f"{len(running) - INSTANCES_NAMED} other instances"
        lines.append(f"{others}: {activity(rest, now) or 'getting ready'}")
    return lines


def tally(instances: Iterable[InstanceProgress]) -> str:
    """For example "3 of 500 instances ended, 4 at work"."""
    everyone = list(instances)
    ended = sum(one.status.final or one.status is Status.FAILED for one in everyone)
    running = sum(one.status is Status.RUNNING for one in everyone)
    return f"{ended} of {len(everyone)} instances ended, {running} at work"


def _samples(progress: InstanceProgress, now: float) -> list[str]:
    open_ones = [one for one in list(progress.samples.values()) if one.kind and not one.outcome]
    if len(open_ones) > SAMPLES_NAMED:
        return []
    what = ((one, of_sample(progress, one.number, now)) for one in open_ones)
    return [
        f"sample {one.number}, {one.words}" + (f": {doing}" if doing else "") for one, doing in what
    ]
