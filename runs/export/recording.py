"""Recordings: the replies of an instance, for replays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.model import Finish, Usage
from agent.recording import RecordedReply, RecordingHeader, write_recording

if TYPE_CHECKING:
    from pathlib import Path

    from runs.store.reading import Reader, Row


def export_recording(reader: Reader, run: Row, instance: Row, file: Path) -> int:
    """Write every reply of an instance as a recording; how many there are."""
    where = {"run": run["run"], "instance_id": instance["instance_id"]}
    rows = sorted(reader.view("turns", **where), key=lambda row: (row["trajectory"], row["turn"]))
    replies = [_reply(reader, row) for row in rows]
    header = RecordingHeader(model=run["model"], made=str(run["created_at"])[:10])
    write_recording(file, header, replies)
    return len(replies)


def _reply(reader: Reader, row: Row) -> RecordedReply:
    usage = None
    if row["prompt_tokens"] is not None:
        shared = max(1, row["n"])
        usage = Usage(
            row["prompt_tokens"], row["completion_tokens"] // shared, row["cached_tokens"] or 0
        )
    return RecordedReply(
        trajectory=row["trajectory"],
        turn=row["turn"],
        text=reader.text(row["reply"]),
        finish=Finish(row["finish"]),
        usage=usage,
        duration_s=row["duration_s"],
    )
