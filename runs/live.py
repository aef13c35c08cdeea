"""Live progress: a table that redraws itself in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent.journal import Kind
from agent.sample import Outcome
from runs.store.registry import Status

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import RenderableType

    from agent.model import Response
    from runs.config import Config
    from runs.prices import Prices
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
}
_STATUS_STYLE = {
    Status.SOLVED: "green",
    Status.UNSOLVED: "yellow",
    Status.FAILED: "red",
    Status.INTERRUPTED: "magenta",
}


@dataclass(slots=True)
class Totals:
    """What was spent."""

    calls: int = 0
    recalled: int = 0
    replayed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    executions: int = 0
    recalled_executions: int = 0


class Progress:
    """`agent.observer.Observer` of one instance."""

    def __init__(self, display: Display, instance_id: str) -> None:
        self.instance_id = instance_id
        self.status = Status.WAITING
        self.stage_name = ""
        self.steps: Counter[Kind] = Counter()
        self.totals: dict[Kind, int] = {}
        self.samples: dict[int, str] = {}
        self.error = ""
        self.began = self.ended = 0.0
        self._display = display
        self._models: Prices | None = None
        self._config: Config | None = None

    def begin(self, config: Config, prices: Prices) -> None:
        """Work on the instance begins."""
        self._config, self._models = config, prices
        self.status, self.began = Status.RUNNING, time.monotonic()
        self.samples = dict.fromkeys(range(1, config.samples.count + 1), "waiting")
        self._display.tell(f"{self.instance_id}: begun")

    def stage(self, kind: Kind, total: int) -> None:
        """See `Observer`."""
        self.stage_name, self.totals[kind] = kind.value, total
        self._display.tell(f"{self.instance_id}: {kind} ({total})")

    def step(self, kind: Kind) -> None:
        """See `Observer`."""
        self.steps[kind] += 1

    def sample(self, number: int, state: str) -> None:
        """See `Observer`."""
        before, self.samples[number] = self.samples.get(number), state
        self.stage_name = "samples"
        if state in set(Outcome) and state != before:
            self._display.tell(f"{self.instance_id}: sample {number} {state.replace('_', ' ')}")

    def call(self, response: Response, *, kind: Kind, recalled: bool) -> None:
        """See `Observer`."""
        totals = self._display.totals
        if recalled:
            totals.recalled += 1
            return
        self._display.trouble = ""
        totals.calls += 1
        totals.replayed += response.replayed
        usage = response.usage
        if usage is not None:
            totals.prompt_tokens += usage.prompt_tokens
            totals.cached_tokens += usage.cached_tokens
            totals.completion_tokens += usage.completion_tokens
        cost = self._models.cost(self._model(kind), usage) if self._models else None
        totals.unpriced += cost is None
        totals.cost_usd += cost or 0.0

    def execution(self, execution: Execution, *, recalled: bool) -> None:  # noqa: ARG002
        """See `Observer`."""
        if recalled:
            self._display.totals.recalled_executions += 1
        else:
            self._display.totals.executions += 1

    def _model(self, kind: Kind) -> str:
        assert self._config is not None  # noqa: S101 - `begin` was called before any effect
        if kind is Kind.RELEVANCE and self._config.context.model:
            return self._config.context.model
        return self._config.model.name


@dataclass(slots=True)
class _Drawing:
    """Redrawn by rich a few times a second."""

    display: Display

    def __rich__(self) -> RenderableType:
        return self.display.render()


class Display:
    """Shows a run. In a terminal it redraws; elsewhere it prints a line for each event."""

    def __init__(self, console: Console, *, title: str, quiet: bool = False) -> None:
        self.totals = Totals()
        self.title = title
        self.trouble = ""
        """Why a call is being tried again; "" once one has succeeded."""
        self._console = console
        self._quiet = quiet
        self._instances: dict[str, Progress] = {}
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
        progress = self._instances.setdefault(instance_id, Progress(self, instance_id))
        progress.status = status if status.final else Status.WAITING
        if status.final:
            self.tell(f"{instance_id}: {status} before; nothing to do")

    def observer(self, instance_id: str, config: Config, prices: Prices) -> Progress:
        """What one instance's effects are told to."""
        progress = self._instances.setdefault(instance_id, Progress(self, instance_id))
        progress.begin(config, prices)
        return progress

    def ended(self, instance_id: str, status: Status, error: str) -> None:
        """An instance came to its end."""
        progress = self._instances.setdefault(instance_id, Progress(self, instance_id))
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
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
        for name in ("instance", "stage", "samples", "time"):
            table.add_column(name, no_wrap=name != "stage")
        for progress in self._shown():
            table.add_row(
                Text(progress.instance_id),
                _stage(progress),
                _samples(progress),
                Text(_elapsed(progress), style="dim"),
            )
        return table

    def _shown(self) -> list[Progress]:
        running = [p for p in self._instances.values() if p.status is Status.RUNNING]
        ended = sorted((p for p in self._instances.values() if p.ended), key=lambda p: -p.ended)
        return [*running[:ROWS], *ended[: max(0, ROWS - len(running))]]

    def _spending(self) -> RenderableType:
        totals = self.totals
        cost = "cost unknown" if totals.unpriced and not totals.cost_usd else _usd(totals)
        parts = [
            cost,
            f"{totals.calls} calls"
            + (" (replayed)" if totals.replayed else "")
            + (f", {totals.recalled} from the journal" if totals.recalled else ""),
            f"{totals.prompt_tokens + totals.completion_tokens:,} tokens",
        ]
        if totals.cached_tokens:
            parts.append(f"{totals.cached_tokens / totals.prompt_tokens:.0%} of the prompts cached")
        parts.append(f"{totals.executions} executions")
        return Text(" · ".join(parts), style="dim")


def _stage(progress: Progress) -> Text:
    if progress.status is not Status.RUNNING:
        style = _STATUS_STYLE.get(progress.status, "")
        reason = f": {progress.error}" if progress.error else ""
        return Text(f"{progress.status}{reason}", style=style, overflow="ellipsis")
    kind = next((k for k in Kind if k == progress.stage_name), None)
    if kind is None or kind is Kind.SELECTION:
        return Text(progress.stage_name or "reading")
    return Text(f"{progress.stage_name} {progress.steps[kind]}/{progress.totals[kind]}")


def _samples(progress: Progress) -> Text:
    text = Text()
    for state in progress.samples.values():
        glyph, style = _GLYPHS.get(state.split(" ")[0], _GLYPHS["waiting"])
        turn = state.partition(" ")[2]
        text.append(f"{glyph}{turn} ", style=style)
    return text


def _elapsed(progress: Progress) -> str:
    if not progress.began:
        return ""
    return _clock((progress.ended or time.monotonic()) - progress.began)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _usd(totals: Totals) -> str:
    known = f"${totals.cost_usd:.4f}" if totals.cost_usd < 1 else f"${totals.cost_usd:.2f}"
    return known + (f" + {totals.unpriced} calls of unknown price" if totals.unpriced else "")
