"""One instance: its patch, the vote matrix, why it was chosen, what it cost."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from runs.report.words import REASONS, VERDICT_STYLE, ending, plain, tokens, usd, visible
from runs.store.reading import context_files
from selection.selector import UNEDITED_NAME

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.reading import Reader, Row


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
    return Group(Rule("patch", style="dim"), Syntax(visible(diff), "diff", theme="ansi_dark"))


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


def vote_matrix(reader: Reader, instance: Row) -> RenderableType:
    """Every test on every candidate and on the unedited code."""
    tests = reader.view("tests", **_where(instance))
    votes = {(v["candidate"], v["test"]): v for v in reader.view("votes", **_where(instance))}
    candidates = sorted(reader.view("candidates", **_where(instance)), key=lambda row: row["place"])
    names = [f"test {t['test']}" + ("" if t["discriminates"] else "*") for t in tests]
    table = _table("", *names, "votes", "paper", "agree", "size", "from")
    unedited = [_cell(votes[0, test["test"]]) for test in tests]
    table.add_row(Text("unedited", style="dim"), *unedited, "", "", "", "", "")
    for row in candidates:
        table.add_row(
            Text(f"candidate {row['candidate']}", style="bold green" if row["chosen"] else ""),
            *(_cell(votes[row["candidate"], test["test"]]) for test in tests),
            str(row["discriminating_votes"]),
            str(row["paper_votes"]),
            str(row["agreement"]),
            str(row["size"]),
            _origin(row),
        )
    legend = "pass 0, fail 2, error anything else; votes count tests that do not pass before"
    if not all(test["discriminates"] for test in tests):
        legend += "; * passes on the unedited code"
    return Group(Rule("votes", style="dim"), table, Text(legend, style="dim"))


def why(reader: Reader, instance: Row) -> list[RenderableType]:
    """Why the patch was chosen, with what the selection trajectory saw."""
    lines: list[RenderableType] = [
        Rule("choice", style="dim"),
        Text.assemble(
            "Candidate ",
            (str(instance["chosen"]), "bold green"),
            f": {REASONS.get(instance['reason'], instance['reason'])}.",
        ),
    ]
    if instance["reason"] in {"selection", "fallback"}:
        talk = reader.conversation(instance["run"], instance["instance_id"], "selection")
        for turn in talk.turns:
            for seen in sorted(turn.executions, key=_unedited_first):
                last = seen["output"].rstrip().rpartition("\n")[2][:100]
                line = f"{seen['purpose']}: {ending(seen)}" + (f"  {last}" if last else "")
                lines.append(Padding(plain(line, "dim"), (0, 0, 0, 2)))
        letters = _letters(reader, instance)
        if letters:
            lines.append(Text(f"({letters})", style="dim"))
    return lines


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


def _letters(reader: Reader, instance: Row) -> str:
    finalists = [r for r in reader.view("candidates", **_where(instance)) if r["finalist"]]
    finalists.sort(key=lambda row: row["place"])
    named = zip(ascii_uppercase, finalists, strict=False)
    return ", ".join(f"{letter} is candidate {row['candidate']}" for letter, row in named)


def _origin(row: Row) -> str:
    parts = [f"sample {number}" for number in row["samples"].split()] + row["sources"].split()
    shown = ", ".join(parts[:4])
    return shown + (f" and {len(parts) - 4} more" if len(parts) > 4 else "")  # noqa: PLR2004


def _cell(vote: Row) -> Text:
    said = vote["verdict"]
    if said == "error":
        said = f"error ({ending(vote)})"
    return Text(said, style=VERDICT_STYLE[vote["verdict"]])


def _where(instance: Row) -> Row:
    return {"run": instance["run"], "instance_id": instance["instance_id"]}


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column)
    return table
