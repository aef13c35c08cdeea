"""How a run looks in a terminal of a given size: the most important first, nothing wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from agent.journal import Kind
from agent.observer import Stage
from runs.show.activity import activity, clock, count, of_instance, stage
from runs.show.lines import GAP, MEDIUM, grid, header_fits, line
from runs.show.sample_table import marks, sample_table
from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from agent.observer import Doing
    from runs.show.progress import InstanceProgress

TIME = len("1:02:05")
_STATUS_STYLE = {
    Status.PATCHED: "green",
    Status.NO_PATCH: "yellow",
    Status.FAILED: "red",
    Status.INTERRUPTED: "magenta",
}


def heading(title: str, instances: Sequence[InstanceProgress], passed: float, width: int) -> Text:
    """How many instances have ended, and in what time; the title if there is room for it."""
    total = len(instances)
    ended = sum(one.status.final or one.status is Status.FAILED for one in instances)
    parts = [f"{ended}/{total} instance{'' if total == 1 else 's'}", clock(passed)]
    if 0 < ended < total:
        parts.append(f"ETA {clock(passed / ended * (total - ended))}")
    facts = "  ".join(parts)
    room = width - len(facts) - 2
    if room < 8:  # noqa: PLR2004 - too little for a title
        return line(facts)
    made = line(title, "bold")
    made.truncate(room, overflow="ellipsis")
    return line("").append_text(made).append("  " if title else "").append(facts, style="dim")


def overview(instances: Sequence[InstanceProgress], now: float) -> Text:
    """What is waited for, in all instances together."""
    under_way = [what for one in instances for what in list(one.effects.values())]
    doing = activity(under_way, now)
    running = sum(one.status is Status.RUNNING for one in instances)
    return line(f"{running} at work" + (f": {doing}" if doing else ""), "cyan")


def many(instances: Sequence[InstanceProgress], now: float, width: int, rows: int) -> Group:
    """Instances, a line each: those at work, then the latest that ended; the rest is counted."""
    running = [one for one in instances if one.status is Status.RUNNING]
    ended = sorted((one for one in instances if one.ended is not None), key=_end, reverse=True)
    listed = [*running, *ended]
    fitting = rows - header_fits(rows)
    shown = listed if len(listed) <= fitting else listed[: max(0, fitting - 1)]
    columns = _columns(shown, width)
    table = grid(columns, header=header_fits(rows))
    for one in shown:
        doing = of_instance(one, now, with_samples="samples" not in columns)
        cells = [
            line(one.instance_id),
            line(doing, _STATUS_STYLE.get(one.status, "")),
            marks(one),
            Text(_time(one, now), style="dim"),
        ]
        table.add_row(*cells[: len(columns)])
    left = len(running) - len(shown)
    parts: list[RenderableType] = [table]
    if len(shown) < len(listed):
        parts.append(line(f"… {left} more at work" if left > 0 else "… others have ended", "dim"))
    return Group(*parts)


def _columns(shown: Sequence[InstanceProgress], width: int) -> dict[str, int]:
    """The columns that fit, with their widths."""
    name = min(max((len(one.instance_id) for one in shown), default=8), max(8, width // 3))
    if width < MEDIUM:
        return {"instance": name, "now": width - name - 2 * GAP}
    samples = min(max((marks(one).cell_len for one in shown), default=1), width // 4)
    samples = max(samples, len("samples"))
    doing = width - name - samples - TIME - 4 * GAP
    return {"instance": name, "now": doing, "samples": samples, "time": TIME}


def one(progress: InstanceProgress, now: float, width: int, rows: int) -> Group:
    """One instance: its stages, what is under way, and its samples."""
    parts: list[RenderableType] = [_trail(progress, width)]
    shared = activity(_of_no_sample(progress), now)
    if shared and progress.status is Status.RUNNING:
        parts.append(line(shared, "cyan"))
    room = rows - len(parts)
    if room > 0 and progress.samples:
        parts.append(sample_table(progress, now, width, room))
    return Group(*parts)


def _trail(progress: InstanceProgress, width: int) -> Text:
    """The stages that one instance has reached, with their counts."""
    text = line(progress.instance_id)
    for step, counted in list(progress.stages.items()):
        done = counted.done == counted.total or step is not progress.stage_now
        turns = step in {Stage.SELECTION, Stage.JUDGE}
        shown = f"turn {progress.turns.get(Kind(step), 1)}" if turns else count(counted, "/")
        text.append(f"  {step} {shown}", style="green" if done else "cyan")
    if progress.status is not Status.RUNNING or not progress.stages:
        text.append("  ").append_text(line(stage(progress), _STATUS_STYLE.get(progress.status, "")))
    if text.cell_len > width:  # the latest stage matters most
        return line(f"{stage(progress)}  {progress.instance_id}", "cyan")
    return text


def _of_no_sample(progress: InstanceProgress) -> list[tuple[Doing, float]]:
    return [
        what
        for effect, what in list(progress.effects.items())
        if all(trajectory.sample is None for trajectory in list(effect.trajectories))
    ]


def _time(progress: InstanceProgress, now: float) -> str:
    end = now if progress.ended is None else progress.ended
    return "" if progress.began is None else clock(end - progress.began)


def _end(progress: InstanceProgress) -> float:
    return progress.ended or 0.0
