"""One instance: its patch, the vote matrix, why it was chosen, what it cost."""

from __future__ import annotations

import re
from string import ascii_uppercase
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from data.patches.litter import litter_of
from runs.export.patches import named
from runs.show.matrix import vote_matrix
from runs.store.reading import context_files
from runs.words import REASONS, ending, plain, tokens, usd, visible
from selection.selector import UNEDITED_NAME

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.reading import Reader, Row

SHOWN_LINES = 6
"""Of what a script printed in the selection."""
SHOWN_WIDTH = 160


def instance_report(reader: Reader, instance: Row) -> RenderableType:
    """Everything about one instance that fits on a page or two."""
    parts: list[RenderableType] = [_heading(reader, instance), samples_table(reader, instance)]
    if reader.view("candidates", **_where(instance)):
        parts += [Text(), vote_matrix(reader, instance)]
        parts += [Text(), *why(reader, instance)]
        parts += [Text(), patch(reader, instance)]
    parts += [Text(), cost_table(reader, instance)]
    return Group(*parts)


def patch(reader: Reader, instance: Row) -> RenderableType:
    """The chosen patch."""
    diff = reader.text(instance["patch"])
    shown: list[RenderableType] = [
        Rule("patch", style="dim"),
        Syntax(visible(diff), "diff", theme="ansi_dark"),
    ]
    litter = named(litter_of(diff))
    if litter:
        said = f"It touches {', '.join(litter)}: see troop export --clean, --clean-tests."
        shown.append(plain(said, "yellow"))
    return Group(*shown)


def samples_table(reader: Reader, instance: Row) -> RenderableType:
    """One line a sample."""
    table = _table("sample", "ended", "test", "candidate")
    for row in reader.view("samples", **_where(instance)):
        table.add_row(
            str(row["sample"]),
            row["outcome"].replace("_", " "),
            _or_dash(row["test"]),
            _or_dash(row["candidate"]),
        )
    return table


def why(reader: Reader, instance: Row) -> list[RenderableType]:
    """Why the patch was chosen, with what the selection trajectory saw."""
    reason = REASONS.get(instance["reason"], instance["reason"])
    chosen = (f"candidate {instance['chosen']}", "bold green")
    lines: list[RenderableType] = [
        Rule("choice", style="dim"),
        Text.assemble("Chosen: ", chosen, f", since {reason}."),
    ]
    if instance["reason"] in {"selection", "fallback"}:
        talk = reader.conversation(instance["run"], instance["instance_id"], "selection")
        names = _names(reader, instance)
        for turn in talk.turns:
            lines += [_seen(seen, names) for seen in sorted(turn.executions, key=_unedited_first)]
        if talk.turns:
            lines.append(Padding(plain(_said(talk.turns[-1].reply, names)), (0, 0, 0, 2)))
    broken = _broken(reader, instance)
    if broken:
        said = f"It breaks tests of the repository's own in {broken}: does the issue ask for that?"
        lines.append(plain(said, "yellow"))
    if not _told_anything(reader, instance):
        lines.append(
            Text(
                "No test could tell the candidates from the unedited code: look closely.", "yellow"
            )
        )
    return lines


def _seen(seen: Row, names: dict[str, str]) -> RenderableType:
    """One execution of the selection trajectory, its output cut to a few lines."""
    lines = visible(seen["output"]).strip().splitlines()
    shown = lines[-SHOWN_LINES:]
    name = names.get(seen["purpose"], seen["purpose"])
    style = "green" if seen["exit_code"] == 0 and seen["ending"] == "exited" else "red"
    text = Text.assemble((f"{name}: ", ""), (ending(seen), style))
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


def _broken(reader: Reader, instance: Row) -> str:
    """The repository's own test files that the chosen patch breaks, for example "tests/a.py"."""
    files = {row["test"]: row for row in reader.view("tests", **_where(instance), flaky=False)}
    votes = reader.view("votes", **_where(instance), candidate=instance["chosen"])
    broken = (vote["test"] for vote in votes if vote["verdict"] != "pass")
    return ", ".join(files[test]["label"] for test in broken if files.get(test, {}).get("label"))


def _told_anything(reader: Reader, instance: Row) -> bool:
    votes = reader.view("votes", **_where(instance))
    before = {vote["test"] for vote in votes if not vote["candidate"] and vote["verdict"] != "pass"}
    return any(v["candidate"] and v["verdict"] == "pass" and v["test"] in before for v in votes)


def cost_table(reader: Reader, instance: Row) -> RenderableType:
    """What each stage took."""
    table = _table("stage", "calls", "prompt", "cached", "completion", "cost")
    calls: dict[int, Row] = {}
    for row in reader.view("turns", **_where(instance)):
        calls[row["call"]] = row
    for kind in dict.fromkeys(row["kind"] for row in calls.values()):
        rows = [row for row in calls.values() if row["kind"] == kind]
        table.add_row(kind, *_cost_cells(rows))
    table.add_row(Text("all", style="bold"), *_cost_cells(list(calls.values())))
    executions = reader.view("executions", **_where(instance))
    seconds = sum(row["duration_s"] for row in executions)
    replayed = any(row["replayed"] for row in calls.values())
    note = f"{len(executions)} executions, {seconds:.1f} s of them"
    if replayed:
        note += "; replies were replayed from a recording, nothing was spent"
    return Group(Rule("cost", style="dim"), table, Text(note, style="dim"))


def _cost_cells(rows: list[Row]) -> list[str]:
    costs = [row["cost_usd"] for row in rows]
    known = [cost for cost in costs if cost is not None]
    cost = usd(sum(known) if known or not rows else None)
    if known and len(known) < len(costs):
        cost += f" + {len(costs) - len(known)} unknown"
    return [
        str(len(rows)),
        *(
            tokens(sum(row[name] or 0 for row in rows))
            for name in ("prompt_tokens", "cached_tokens", "completion_tokens")
        ),
        cost,
    ]


def _heading(reader: Reader, instance: Row) -> RenderableType:
    issue = next(iter(reader.text(instance["problem"]).strip().splitlines()), "")
    files = context_files(instance)
    text = Text()
    text.append(instance["instance_id"], style="bold")
    text.append(f"  {instance['status']}", style="green" if instance["patch"] else "yellow")
    text.append(f"  run {instance['run']}\n", style="dim")
    text.append_text(plain(issue[:120] + "\n"))
    shown = ", ".join(files[:4]) + (f" and {len(files) - 4} more" if len(files) > 4 else "")  # noqa: PLR2004
    if files:
        text.append_text(plain(f"context: {shown}\n", "dim"))
    if instance["error"]:
        text.append_text(plain(instance["error"] + "\n", "red"))
    return text


def _unedited_first(seen: Row) -> tuple[bool, str]:
    return seen["purpose"] != UNEDITED_NAME, seen["purpose"]


def _names(reader: Reader, instance: Row) -> dict[str, str]:
    """What the selection trajectory calls a finalist -> its number and letter."""
    finalists = [r for r in reader.view("candidates", **_where(instance)) if r["finalist"]]
    finalists.sort(key=lambda row: row["place"])
    named = zip(ascii_uppercase, finalists, strict=False)
    return {f"candidate {letter}": f"candidate {row['candidate']}" for letter, row in named}


def _where(instance: Row) -> Row:
    return {"run": instance["run"], "instance_id": instance["instance_id"]}


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column)
    return table
