"""What happened, in the words of exported files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.words import decided_by

if TYPE_CHECKING:
    from runs.store.conversations import StoredConversation
    from runs.store.story import Story
    from runs.store.votes import VoteGrid


def happened(talk: StoredConversation) -> str:
    """How a trajectory went, for example "3 replies, done"."""
    count = len(talk.turns)
    replies = "no reply" if not count else f"{count} repl{'y' if count == 1 else 'ies'}"
    outcome = (talk.trajectory.outcome or "").replace("_", " ")
    return f"{replies}, {outcome}" if outcome else replies


def why_chosen(story: Story) -> str:
    """How an instance ended, and why this patch was chosen."""
    instance = story.instance
    if instance.chosen is None:
        error = f": {instance.error}" if instance.error else ""
        return f"{instance.status.words}{error}"
    reason = decided_by(instance.reason, story.run.config)
    return f"candidate {instance.chosen} came out, because {reason}"


def voted(table: VoteGrid) -> str:
    """The votes as a Markdown table: a row for each candidate, a column for each test.

    Repository tests are named after their files.
    """
    names = [test.label.replace("|", "\\|") or f"test {test.number}" for test in table.tests]
    head = ["", *names, "votes", "samples"]
    lines = [_line(head), "|---" * len(head) + "|"]
    for row in table.rows:
        counts = ["", ""]
        if row.candidate is not None:
            samples = " ".join(map(str, row.candidate.samples))
            counts = [str(row.candidate.discriminating_votes), samples]
        said = ["" if vote is None else vote.verdict for vote in row.votes]
        lines.append(_line([row.name, *said, *counts]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
