"""One instance: its patch, the vote matrix, why it was chosen, what it cost."""

from __future__ import annotations

import re
from string import ascii_uppercase
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from agent.journal import Kind
from data.patches.litter import litter_of
from runs.show.layout import Heading, Sheet, diff_text
from runs.show.matrix import vote_matrix
from runs.words import decided_by, ending, named, plain, tokens, usd, visible
from selection.matrix import UNEDITED_ROW, Verdict
from selection.selectors.protocol import Reason
from selection.selectors.trajectory import UNEDITED_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from runs.store.records import CallRecord, SeenExecution
    from runs.store.story import Story

SHOWN_LINES = 6
"""Of what a script printed in the selection."""
SHOWN_WIDTH = 160


def instance_report(story: Story) -> RenderableType:
    """Everything about one instance that fits on a page or two."""
    parts: list[RenderableType] = [_heading(story), samples_table(story)]
    if story.candidates:
        parts += [Text(), vote_matrix(story)]
        parts += [Text(), *why(story)]
        parts += [Text(), patch(story)]
    parts += [Text(), cost_table(story)]
    return Group(*parts)


def patch(story: Story) -> RenderableType:
    """The chosen patch."""
    diff = story.patch
    shown: list[RenderableType] = [Heading("patch"), diff_text(diff)]
    litter = named(litter_of(diff))
    if litter:
        said = f"It touches {', '.join(litter)}: see troop export --clean, --clean-tests."
        shown.append(plain(said, "yellow"))
    return Group(*shown)


def samples_table(story: Story) -> RenderableType:
    """One line a sample."""
    table = Sheet("sample", "ended", "test", "candidate")
    for sample in story.samples:
        table.add_row(
            str(sample.number),
            sample.outcome.replace("_", " "),
            _or_dash(sample.test),
            _or_dash(sample.candidate),
        )
    return table


def why(story: Story) -> list[RenderableType]:
    """Why the patch was chosen, with what the selection trajectory saw."""
    instance = story.instance
    reason = decided_by(instance.reason, story.run.config)
    chosen = (f"candidate {instance.chosen}", "bold green")
    lines: list[RenderableType] = [
        Heading("choice"),
        Text.assemble("Chosen: ", chosen, f", since {reason}."),
    ]
    if instance.reason in {Reason.SELECTION, Reason.FALLBACK}:
        lines += _asked(story)
    broken = _broken(story)
    if broken:
        said = f"It breaks tests of the repository's own in {broken}: does the issue ask for that?"
        lines.append(plain(said, "yellow"))
    if not _told_anything(story):
        lines.append(
            Text(
                "No test could tell the candidates from the unedited code: look closely.", "yellow"
            )
        )
    return lines


def _asked(story: Story) -> list[RenderableType]:
    """What the model that chose has seen, and its last words; nothing where it is asked anew."""
    lines: list[RenderableType] = []
    for kind in (Kind.SELECTION, Kind.JUDGE):
        talk = story.find(kind)
        if talk is None or not talk.turns:
            continue
        names = _names(story) if kind is Kind.SELECTION else {}  # a judge's letters have no order
        for turn in talk.turns:
            lines += [_seen(seen, names) for seen in sorted(turn.executions, key=_unedited_first)]
        lines.append(Padding(plain(_said(talk.turns[-1].reply, names)), (0, 0, 0, 2)))
    return lines


def _seen(seen: SeenExecution, names: dict[str, str]) -> RenderableType:
    """One execution of the selection trajectory, its output cut to a few lines."""
    ran = seen.execution
    lines = visible(ran.output).strip().splitlines()
    shown = lines[-SHOWN_LINES:]
    name = names.get(seen.purpose, seen.purpose)
    text = Text.assemble((f"{name}: ", ""), (ending(ran), "green" if ran.passed else "red"))
    if len(lines) > len(shown):
        text.append(f"\n  [{len(lines) - len(shown)} lines before]", style="dim")
    for line in shown:
        text.append(f"\n  {line[:SHOWN_WIDTH]}", style="dim")
    return Padding(text, (0, 0, 0, 2))


def _said(reply: str, names: dict[str, str]) -> str:
    """The model's last words, with the candidates' numbers beside their letters."""
    words = re.sub(r"<choose>[^<]*</choose>", "", reply[:5000]).strip()
    for letter, name in names.items():
        words = re.sub(rf"\b{letter}\b", name, words, flags=re.IGNORECASE)
    return f"“{words[:600]}”" if words else ""


def _broken(story: Story) -> str:
    """The repository's own test files that the chosen patch breaks, for example "tests/a.py"."""
    labels = {test.number: test.label for test in story.tests if not test.flaky}
    chosen = (vote for vote in story.votes if vote.candidate == story.instance.chosen)
    broken = (labels.get(vote.test) for vote in chosen if vote.verdict is not Verdict.PASS)
    return ", ".join(filter(None, broken))


def _told_anything(story: Story) -> bool:
    """Whether a candidate passes a test that the unedited code does not."""
    passed: dict[bool, set[int]] = {True: set(), False: set()}
    for vote in story.votes:
        if vote.verdict is Verdict.PASS:
            passed[vote.candidate == UNEDITED_ROW].add(vote.test)
    return bool(passed[False] - passed[True])


def cost_table(story: Story) -> RenderableType:
    """What each stage took."""
    table = Sheet("stage", "calls", "prompt", "cached", "completion", "cost")
    for kind in Kind:
        if calls := [call for call in story.calls if call.kind is kind]:
            table.add_row(kind, *_cost_cells(calls))
    table.add_row(Text("all", style="bold"), *_cost_cells(story.calls))
    seconds = sum(execution.duration_s for execution in story.executions)
    note = f"{len(story.executions)} executions, {seconds:.1f} s of them"
    if any(call.replayed for call in story.calls):
        note += "; replies were replayed from a recording, nothing was spent"
    return Group(Heading("cost"), table, Text(note, style="dim"))


def _cost_cells(calls: Sequence[CallRecord]) -> list[str]:
    known = [call.cost_usd for call in calls if call.cost_usd is not None]
    cost = usd(sum(known) if known or not calls else None)
    if known and len(known) < len(calls):
        cost += f" + {len(calls) - len(known)} unknown"
    return [
        str(len(calls)),
        tokens(sum(call.prompt_tokens or 0 for call in calls)),
        tokens(sum(call.cached_tokens or 0 for call in calls)),
        tokens(sum(call.completion_tokens or 0 for call in calls)),
        cost,
    ]


def _heading(story: Story) -> RenderableType:
    instance, files = story.instance, story.instance.context_files
    issue = next(iter(story.issue.strip().splitlines()), "")
    text = Text()
    text.append(instance.instance_id, style="bold")
    text.append(f"  {instance.status}", style="green" if instance.patch else "yellow")
    text.append(f"  run {instance.run}\n", style="dim")
    text.append_text(plain(issue[:120] + "\n"))
    shown = ", ".join(files[:4]) + (f" and {len(files) - 4} more" if len(files) > 4 else "")  # noqa: PLR2004
    if files:
        text.append_text(plain(f"context: {shown}\n", "dim"))
    if instance.error:
        text.append_text(plain(instance.error + "\n", "red"))
    return text


def _unedited_first(seen: SeenExecution) -> tuple[bool, str]:
    return seen.purpose != UNEDITED_NAME, seen.purpose


def _names(story: Story) -> dict[str, str]:
    """What the selection trajectory calls a finalist -> its number and letter."""
    rows = story.vote_grid.rows
    finalists = (row for row in rows if row.candidate is not None and row.candidate.finalist)
    named = zip(ascii_uppercase, finalists, strict=False)
    return {f"candidate {letter}": row.name for letter, row in named}


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
