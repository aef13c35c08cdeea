"""Samples in a terminal: their marks, what these mean, and a line for each sample."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from agent.journal import Kind
from agent.outcome import Outcome
from agent.testing import ISSUE_IS_THERE
from runs.show.activity import of_sample
from runs.show.lines import GAP, MEDIUM, grid, header_fits, line
from runs.show.samples import plainly
from runs.words import ending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from runs.show.progress import InstanceProgress
    from runs.show.samples import SampleProgress
    from sandbox.protocol import Execution

WIDE = 100
"""With so many columns, what a script said is shown beside each sample."""

_WAITING = ("·", "dim")
_AT_WORK = {Kind.TESTING: ("t", "cyan"), Kind.EDITING: ("e", "yellow")}
_ENDED = {
    Outcome.DONE: ("✔", "green"),
    Outcome.OUT_OF_TURNS: ("◷", "magenta"),
    Outcome.NO_EDIT: ("∅", "red"),
    Outcome.CONTEXT_EXCEEDED: ("▲", "red"),
    Outcome.REJECTED: ("✖", "red"),
    Outcome.UNREADABLE: ("?", "red"),
    Outcome.FAILED: ("!", "red"),
}


def sample_table(progress: InstanceProgress, now: float, width: int, rows: int) -> Group:
    """A line for each sample: how far it is, what it waits for, what its script last said."""
    everyone = list(progress.samples.values())
    fitting = rows - header_fits(rows)
    shown = everyone
    if len(everyone) > fitting:
        shown = sorted(everyone, key=lambda one: (one.outcome is not None, one.kind is None))
        shown = shown[: max(0, fitting - 1)]
    columns = _columns(shown, width)
    table = grid(columns, header=header_fits(rows))
    for sample in shown:
        mark, style = _mark(sample)
        cells = [
            Text(mark, style=style).append(f" {sample.number}", style="default"),
            Text(sample.words, style=style),
            Text(of_sample(progress, sample.number, now)),
            *_verdicts(sample),
        ]
        table.add_row(*cells[: len(columns)])
    left = [sample for sample in everyone if sample not in shown]
    parts: list[RenderableType] = [table]
    if left:
        counted = Counter(sample.words.split(",")[0] for sample in left)
        rest = ", ".join(f"{number} {words}" for words, number in counted.items())
        parts.append(line(f"… {len(left)} more: {rest}", "dim"))
    return Group(*parts)


def _columns(shown: Sequence[SampleProgress], width: int) -> dict[str, int]:
    """The columns that fit, with their widths."""
    first = len("sample") if width >= MEDIUM else 4
    said = {"before the edit": 15, "after it": 15} if width >= WIDE else {}
    room = width - first - sum(said.values()) - GAP * (3 + len(said))
    state = max((len(sample.words) for sample in shown), default=1)
    state = min(max(state, len("state")), max(1, room // 2))
    return {"sample": first, "state": state, "now": room - state, **said}


def _verdicts(sample: SampleProgress) -> tuple[Text, Text]:
    before, after = sample.seen.get("before"), sample.seen.get("after")
    return (
        _said(before, good=before is not None and before.exit_code == ISSUE_IS_THERE),
        _said(after, good=after is not None and after.passed),
    )


def _said(execution: Execution | None, *, good: bool) -> Text:
    """What a script said about the code, green if that is what it should say."""
    if execution is None:
        return Text("")
    words = {0: "fixed", ISSUE_IS_THERE: "issue is there"}
    said = words.get(execution.exit_code if execution.exit_code is not None else -1)
    return Text(said or ending(execution), style="green" if good else "red")


def _mark(sample: SampleProgress) -> tuple[str, str]:
    if sample.mark is not None:
        return _ENDED[sample.mark]
    return _AT_WORK.get(sample.kind, _WAITING) if sample.kind else _WAITING


def marks(progress: InstanceProgress) -> Text:
    """A mark for each sample, with the turn of those at work."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for sample in list(progress.samples.values()):
        mark, style = _mark(sample)
        turn = sample.turn if sample.kind and not sample.outcome else ""
        text.append(f"{mark}{turn} ", style=style)
    return text


def legend(instances: Iterable[InstanceProgress]) -> Text:
    """What the marks mean that are on the screen now."""
    samples = [sample for one in instances for sample in list(one.samples.values())]
    kinds = {sample.kind for sample in samples if not sample.outcome}
    marks = {sample.mark for sample in samples}
    known = [f"{_AT_WORK[kind][0]} {kind} (turn)" for kind in _AT_WORK if kind in kinds]
    known += [f"{_ENDED[mark][0]} {plainly(mark)}" for mark in _ENDED if mark in marks]
    return line("   ".join(known), "dim")
