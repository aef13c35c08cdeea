"""Recordings: the replies of an instance, for replays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.model import Usage
from agent.recording import RecordedReply, RecordingHeader, write_recording

if TYPE_CHECKING:
    from pathlib import Path

    from runs.store.conversations import Turn
    from runs.store.story import Story


def export_recording(story: Story, file: Path) -> int:
    """Write every reply of an instance as a recording. Gives the number of replies."""
    talks = sorted(story.conversations, key=lambda talk: talk.key)
    replies = [_reply(turn) for talk in talks for turn in talk.turns]
    header = RecordingHeader(model=story.run.model, made=f"{story.run.created_at:%Y-%m-%d}")
    write_recording(file, header, replies)
    return len(replies)


def _reply(turn: Turn) -> RecordedReply:
    record, call = turn.record, turn.record.call
    usage = None
    if call.prompt_tokens is not None:
        completion = (call.completion_tokens or 0) // max(1, call.n)
        usage = Usage(call.prompt_tokens, completion, call.cached_tokens or 0)
    return RecordedReply(
        trajectory=record.trajectory,
        turn=record.number,
        text=turn.reply,
        finish=record.finish,
        usage=usage,
        duration_s=call.duration_s,
    )
