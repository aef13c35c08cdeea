"""What happened, in words that stand in exported files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.words import REASONS

if TYPE_CHECKING:
    from runs.export.story import Story
    from runs.store.reading import Conversation

_UNEDITED = 0
"""The number of the unedited code among candidates."""


def happened(talk: Conversation) -> str:
    """How a trajectory went, for example "3 replies, done"."""
    count = len(talk.turns)
    replies = "no reply" if not count else f"{count} repl{'y' if count == 1 else 'ies'}"
    outcome = str(talk.row["outcome"] or "").replace("_", " ")
    return f"{replies}, {outcome}" if outcome else replies


def why_chosen(story: Story) -> str:
    """How an instance ended, and why this patch came out."""
    instance = story.instance
    if instance["chosen"] is None:
        error = f": {instance['error']}" if instance["error"] else ""
        return f"{instance['status']}{error}"
    reason = REASONS.get(instance["reason"], instance["reason"])
    return f"candidate {instance['chosen']} came out, because {reason}"


def voted(story: Story) -> str:
    """The vote matrix as a Markdown table: a row for each candidate, a column for each test.

    Those of the repository's own tests are called after their files.
    """
    verdicts = {(row["candidate"], row["test"]): row["verdict"] for row in story.votes}
    tests = [row["test"] for row in story.tests]
    names = [row["label"].replace("|", "\\|") or f"test {row['test']}" for row in story.tests]
    head = ["", *names, "votes", "samples"]
    lines = [_line(head), "|---" * len(head) + "|"]
    unedited = [verdicts.get((_UNEDITED, test), "") for test in tests]
    lines.append(_line(["unedited", *unedited, "", ""]))
    for row in story.candidates:
        said = [verdicts.get((row["candidate"], test), "") for test in tests]
        name = f"candidate {row['candidate']}"
        lines.append(_line([name, *said, str(row["discriminating_votes"]), row["samples"]]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
