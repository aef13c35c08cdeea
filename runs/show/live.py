"""Live progress: a table that redraws itself in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent.journal import Kind
from agent.outcome import Outcome
from agent.testing import ISSUE_IS_THERE
from runs.show.progress import InstanceProgress, Totals
from runs.store.registry import Status
from runs.words import ending, plain, usd

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import RenderableType

    from sandbox.protocol import Execution

ROWS = 20
"""Instances shown at once: those at work, then the latest that ended."""

_GLYPHS = {
    "waiting": ("·", "dim"),
    "testing": ("t", "cyan"),
    "editing": ("e", "yellow"),
    Outcome.DONE.value: ("✔", "green"),
    Outcome.OUT_OF_TURNS.value: ("◷", "magenta"),
    Outcome.NO_EDIT.value: ("∅", "red"),
    Outcome.CONTEXT_EXCEEDED.value: ("▲", "red"),
    Outcome.REJECTED.value: ("✖", "red"),
    Outcome.UNREADABLE.value: ("?", "red"),
}
_LEGEND = "t testing, e editing, with the turn   ✔ done   ◷ out of turns   ∅ no edit"
_STATUS_STYLE = {
    Status.SOLVED: "green",
    Status.UNSOLVED: "yellow",
    Status.FAILED: "red",
    Status.INTERRUPTED: "magenta",
}


@dataclass(slots=True)
class _Drawing:
    """Redrawn by rich a few times a second."""

    display: LiveDisplay

    def __rich__(self) -> RenderableType:
        return self.display.render()


class LiveDisplay:
    """Shows a run. In a terminal it redraws; elsewhere it prints a line for each event."""

    def __init__(self, console: Console, *, title: str = "", quiet: bool = False) -> None:
        self.totals = Totals()
        self.title = title
        self.trouble = ""
        """Why a call is being tried again; "" once one has succeeded."""
        self._console = console
        self._quiet = quiet
        self._instances: dict[str, InstanceProgress] = {}
        self._began = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(
                _Drawing(self), console=self._console, refresh_per_second=6, transient=False
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def enter(self, instance_id: str, status: Status) -> None:
        """The run holds this instance, which an earlier command may have ended."""
        progress = self._instances.setdefault(instance_id, InstanceProgress(self, instance_id))
        progress.status = status if status.final else Status.WAITING
        if status.final:
            self.tell(f"{instance_id}: {status} before; nothing to do")

    def opening(self, instance_id: str, waits_for: str) -> None:
        """What an instance waits for before work begins; "": nothing any more."""
        progress = self._instances.setdefault(instance_id, InstanceProgress(self, instance_id))
        subject = waits_for.partition(": ")[0]  # the rest is how far it has come
        if subject and subject != progress.stage_name.partition(": ")[0]:
            self.tell(f"{instance_id}: {subject}")
        progress.status, progress.stage_name = Status.RUNNING, waits_for

    def observer(self, instance_id: str, samples: int) -> InstanceProgress:
        """See `runs.run.display.Display`."""
        progress = self._instances.setdefault(instance_id, InstanceProgress(self, instance_id))
        progress.begin(samples)
        return progress

    def ended(self, instance_id: str, status: Status, error: str) -> None:
        """An instance came to its end."""
        progress = self._instances.setdefault(instance_id, InstanceProgress(self, instance_id))
        progress.status, progress.error, progress.ended = status, error, time.monotonic()
        self.tell(f"{instance_id}: {status}" + (f": {error}" if error else ""))

    def note(self, message: str) -> None:
        """Something a person should know, in every kind of display."""
        self._console.print(Text(message, style="yellow"))

    def retrying(self, reason: str, wait_s: float) -> None:
        """The model server did not answer; the call is tried again after `wait_s` seconds."""
        self.trouble = f"retrying in {wait_s:.0f} s: {reason}"
        self.tell(self.trouble)

    def tell(self, line: str) -> None:
        """An event, printed where there is no table to show it."""
        if self._live is None and not self._quiet:
            seconds = time.monotonic() - self._began
            self._console.print(Text(f"{seconds:7.1f}s  {line}"), soft_wrap=True)

    def render(self) -> RenderableType:
        """The whole display as it is now."""
        parts = [self._heading(), self._table(), self._spending()]
        if self.trouble:
            parts.append(Text(self.trouble, style="yellow"))
        return Group(*parts)

    def _heading(self) -> RenderableType:
        total = len(self._instances)
        done = sum(p.status.final or p.status is Status.FAILED for p in self._instances.values())
        grid = Table.grid(padding=(0, 2))
        seconds = time.monotonic() - self._began
        left = f"ETA {_clock(seconds / done * (total - done))}" if 0 < done < total else ""
        count = f"{done}/{total} instance{'' if total == 1 else 's'}"
        row: list[RenderableType] = [Text(self.title, style="bold")]
        if total > 1:
            row.append(ProgressBar(total=total or 1, completed=done, width=24))
        grid.add_row(*row, Text(count), Text(_clock(seconds), style="dim"), Text(left, style="dim"))
        return grid

    def _table(self) -> RenderableType:
        """One instance sample by sample, or many with a line each."""
        if len(self._instances) == 1:
            (progress,) = self._instances.values()
            return Group(_trail(progress), _sample_table(progress))
        table = _grid("instance", "stage", "samples", "time")
        for progress in self._shown():
            table.add_row(
                plain(progress.instance_id),
                _stage(progress),
                _samples(progress),
                Text(_elapsed(progress), style="dim"),
            )
        return Group(table, Text(_LEGEND, style="dim"))

    def _shown(self) -> list[InstanceProgress]:
        running = [p for p in self._instances.values() if p.status is Status.RUNNING]
        ended = sorted((p for p in self._instances.values() if p.ended), key=lambda p: -p.ended)
        return [*running[:ROWS], *ended[: max(0, ROWS - len(running))]]

    def _spending(self) -> RenderableType:
        totals = self.totals
        parts = [
            _cost(totals),
            f"{totals.calls} call{'' if totals.calls == 1 else 's'}"
            + (f", {totals.recalled} replies from the journal" if totals.recalled else ""),
            f"{totals.prompt_tokens + totals.completion_tokens:,} tokens",
        ]
        if totals.cached_tokens:
            parts.append(f"{totals.cached_tokens / totals.prompt_tokens:.0%} of the prompts cached")
        parts.append(f"{totals.executions} executions")
        return Text(" · ".join(parts), style="dim")


def _grid(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, no_wrap=column != "stage")
    return table


def _trail(progress: InstanceProgress) -> Text:
    """The stages that one instance has come through, with their counts."""
    text = Text()
    text.append_text(plain(progress.instance_id + "  "))
    for kind in Kind:
        if kind in progress.totals and kind is not Kind.SELECTION:
            done = progress.steps[kind] == progress.totals[kind]
            style = "green" if done else "cyan"
            text.append(f"{kind} {progress.steps[kind]}/{progress.totals[kind]}  ", style=style)
        if kind is Kind.RANKING and progress.stage_name not in {"relevance", "ranking", ""}:
            ended = sum(state in set(Outcome) for state in progress.samples.values())
            style = "green" if ended == len(progress.samples) else "cyan"
            text.append(f"samples {ended}/{len(progress.samples)}  ", style=style)
    if progress.stage_name == Kind.SELECTION:
        text.append("selection  ", style="cyan")
    if progress.status is not Status.RUNNING or not progress.began:
        text.append_text(_stage(progress))
    return text


def _sample_table(progress: InstanceProgress) -> Table:
    """A line for each sample: where it is and what its script last said."""
    table = _grid("", "sample", "state", "before the edit", "after it")
    for number, state in progress.samples.items():
        name, _, turn = state.partition(" ")
        glyph, style = _GLYPHS.get(name, _GLYPHS["waiting"])
        shown = f"{name}, turn {turn}" if turn else state.replace("_", " ")
        before, after = (progress.seen.get((number, purpose)) for purpose in ("before", "after"))
        table.add_row(
            Text(glyph, style=style),
            str(number),
            Text(shown, style=style),
            _said(before, good=before is not None and before.exit_code == ISSUE_IS_THERE),
            _said(after, good=after is not None and after.passed),
        )
    return table


def _said(execution: Execution | None, *, good: bool) -> Text:
    """What a script said of the code, green where that is what it should say."""
    if execution is None:
        return Text("")
    words = {0: "fixed", ISSUE_IS_THERE: "issue is there"}
    told = words.get(execution.exit_code if execution.exit_code is not None else -1)
    return Text(told or ending(execution), style="green" if good else "red")


def _stage(progress: InstanceProgress) -> Text:
    if progress.status is not Status.RUNNING:
        style = _STATUS_STYLE.get(progress.status, "")
        reason = f": {progress.error}" if progress.error else ""
        return Text(f"{progress.status}{reason}", style=style, overflow="ellipsis")
    kind = next((k for k in Kind if k == progress.stage_name), None)
    if kind is None or kind is Kind.SELECTION:
        return Text(progress.stage_name or "reading")
    return Text(f"{progress.stage_name} {progress.steps[kind]}/{progress.totals[kind]}")


def _samples(progress: InstanceProgress) -> Text:
    text = Text()
    for state in progress.samples.values():
        glyph, style = _GLYPHS.get(state.split(" ")[0], _GLYPHS["waiting"])
        turn = state.partition(" ")[2]
        text.append(f"{glyph}{turn} ", style=style)
    return text


def _elapsed(progress: InstanceProgress) -> str:
    if not progress.began:
        return ""
    return _clock((progress.ended or time.monotonic()) - progress.began)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _cost(totals: Totals) -> str:
    """What was spent, as far as it is known."""
    if totals.unpriced and not totals.cost_usd:
        return "cost unknown"
    unknown = f" + {totals.unpriced} calls of unknown price" if totals.unpriced else ""
    spent = usd(totals.cost_usd) + unknown
    return f"replayed, nothing spent ({spent} if it were live)" if totals.replayed else spent
