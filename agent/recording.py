"""Recordings: the replies of a run in a file, and the client that replays them.

A recording is JSON lines, compressed where its name ends in .zst. The first line is a header,
each further line one reply:

    {"format": "troop-recording-1", "model": "…", "made": "2026-11-30", "note": "…"}
    {"trajectory": "sample-0/editing", "turn": 0, "text": "…", "finish": "stop",
     "reasoning": "…", "usage": {"prompt_tokens": 9, "completion_tokens": 5, "cached_tokens": 4},
     "duration_s": 1.5}

`note`, `reasoning`, `usage` with its `cached_tokens`, and `duration_s` may be missing. Any other
field, type or order is an error with its line number, because a recording that is only partly
understood would replay something that never happened.
"""

from __future__ import annotations

import asyncio
import datetime
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never, TypeVar

import zstandard

from agent.model import Choice, Finish, ModelRefused, ModelRequest, Response, ServerFacts, Usage
from data.errors import UsageError
from data.inputs import read_text
from data.writing import put_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FORMAT = "troop-recording-1"
_FAMILY = "troop-recording-"
_CHARS_PER_TOKEN = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """What a recording says about itself."""

    model: str
    made: str
    """The date on which it was made, in ISO 8601."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """One reply, with its trajectory and turn."""

    trajectory: str
    turn: int
    """Counted from 0 within the trajectory."""
    text: str
    finish: Finish
    reasoning: str = ""
    usage: Usage | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A header and the replies by (trajectory, turn)."""

    header: RecordingHeader
    replies: dict[tuple[str, int], RecordedReply]

    def turns(self, trajectory: str) -> list[int]:
        """The recorded turns of a trajectory."""
        return sorted(turn for name, turn in self.replies if name == trajectory)


def write_recording(path: Path, header: RecordingHeader, replies: Iterable[RecordedReply]) -> None:
    """Write a recording, whole or not at all; a file at `path` is replaced.

    Raises:
        UsageError: `path` is a folder.
        StoreError: it cannot be written.
    """
    lines = [{"format": FORMAT, **_header_fields(header)}, *map(_reply_fields, replies)]
    data = b"".join(map(_line, lines))
    put_file(path, zstandard.compress(data) if path.suffix == ".zst" else data)


def read_recording(path: Path) -> Recording:
    """Read a recording. Raises `UsageError`, which names the line that is wrong."""
    lines = _lines(path)
    header = _read_header(path, *next(lines, (1, {})))
    replies: dict[tuple[str, int], RecordedReply] = {}
    numbers: dict[tuple[str, int], int] = {}
    for number, values in lines:
        reply = _Fields(path, number, values).reply()
        key = reply.trajectory, reply.turn
        if key in replies:
            problem = f"{reply.trajectory!r} turn {reply.turn} is already on line {numbers[key]}"
            _refuse(path, number, problem)
        replies[key], numbers[key] = reply, number
    return Recording(header, replies)


class RecordedClient:
    """A `ModelClient` that gives recorded replies, whatever the prompt says.

    `pace` is in seconds of sleep per 1,000 completion tokens, for a replay that can be watched.
    """

    def __init__(self, recording: Recording, *, pace: float = 0.0) -> None:
        self._recording = recording
        self._pace = pace

    async def complete(self, request: ModelRequest) -> Response:
        """Give the recorded reply; for n > 1, also each sibling's reply to the same turn, in order.

        The choices stop before the first sibling without a recorded reply, so that the order
        stays right. Raises `ModelRefused` if the first reply is missing.
        """
        first = self._find(request.trajectory, request.turn)
        if first is None:
            raise self._missing(request.trajectory, request.turn)
        replies = [first]
        for sibling in request.siblings:
            reply = self._find(sibling, request.turn)
            if reply is None:
                break
            replies.append(reply)
        await self._sleep(replies)
        durations = [one.duration_s for one in replies if one.duration_s is not None]
        return Response(
            choices=tuple(Choice(one.text, one.finish, one.reasoning) for one in replies),
            usage=_group_usage(replies),
            duration_s=max(durations, default=0.0),
            replayed=True,
        )

    async def check(self, model: str) -> ServerFacts:  # noqa: ARG002 - any name replays
        """Say the recorded model's name."""
        return ServerFacts(models=(self._recording.header.model,))

    async def close(self) -> None:
        """Nothing is open."""

    def _find(self, trajectory: str, turn: int) -> RecordedReply | None:
        return self._recording.replies.get((trajectory, turn))

    async def _sleep(self, replies: list[RecordedReply]) -> None:
        if self._pace > 0:
            # The choices of one call are written at the same time: the longest sets the time.
            longest = max(_tokens_written(one) for one in replies)
            await asyncio.sleep(self._pace * longest / 1000)

    def _missing(self, trajectory: str, turn: int) -> ModelRefused:
        turns = self._recording.turns(trajectory)
        has = f"only turns {', '.join(map(str, turns))}" if turns else "nothing"
        return ModelRefused(
            f"The recording has no reply for trajectory {trajectory!r}, turn {turn}."
            f" It has {has} of this trajectory.",
            hint="A recording replays only under the configuration that it was made with: "
            "the same instances, number of samples and limits on turns.",
        )


def _group_usage(replies: list[RecordedReply]) -> Usage | None:
    """The usage of one call: every reply's completion tokens, the shared prompt once."""
    usages = [reply.usage for reply in replies if reply.usage is not None]
    if len(usages) < len(replies):
        return None
    written = sum(usage.completion_tokens for usage in usages)
    return Usage(usages[0].prompt_tokens, written, usages[0].cached_tokens)


def _tokens_written(reply: RecordedReply) -> float:
    if reply.usage is not None:
        return reply.usage.completion_tokens
    return len(reply.text) / _CHARS_PER_TOKEN


def _line(fields: dict[str, object]) -> bytes:
    try:
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, which can be written as an escape
        return json.dumps(fields).encode() + b"\n"


def _header_fields(header: RecordingHeader) -> dict[str, object]:
    fields: dict[str, object] = {"model": header.model, "made": header.made}
    return {**fields, "note": header.note} if header.note else fields


def _reply_fields(reply: RecordedReply) -> dict[str, object]:
    fields: dict[str, object] = {
        "trajectory": reply.trajectory,
        "turn": reply.turn,
        "text": reply.text,
        "finish": str(reply.finish),
    }
    if reply.reasoning:
        fields["reasoning"] = reply.reasoning
    if reply.usage is not None:
        usage = reply.usage
        fields["usage"] = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cached_tokens": usage.cached_tokens,
        }
    if reply.duration_s is not None:
        fields["duration_s"] = reply.duration_s
    return fields


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with their line numbers, from 1."""
    data = read_text(path).encode()
    # Not splitlines(), because replies may hold U+2028 and similar characters.
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
        yield number, _object(path, number, line)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        _refuse(path, number, f"is not JSON ({error})")
    if not isinstance(fields, dict):
        _refuse(path, number, "is not a JSON object")
    return fields


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _refuse(path: Path, number: int, problem: str) -> Never:
    raise UsageError(f"{path}, line {number}: {problem}.", hint="Record it again.")


def _read_header(path: Path, number: int, values: dict[str, Any]) -> RecordingHeader:
    version = values.get("format")
    if not isinstance(version, str) or not version.startswith(_FAMILY):
        _refuse(path, number, f'is not a recording: it lacks {{"format": "{FORMAT}", …}}')
    if version != FORMAT:
        raise UsageError(
            f"{path} is in format {version}; this Troop reads {FORMAT}.",
            hint="Use the Troop that wrote it, or a newer one.",
        )
    fields = _Fields(path, number, values)
    fields.take("format", str)
    header = RecordingHeader(
        model=fields.take("model", str),
        made=fields.take("made", str),
        note=fields.take("note", str, ""),
    )
    fields.done()
    try:
        datetime.datetime.fromisoformat(header.made)
    except ValueError:
        fields.refuse(f"made: {header.made!r} is not an ISO date")
    return header


class _Fields:
    """Takes each field of an object once, and refuses those that are left."""

    def __init__(self, path: Path, number: int, values: dict[str, Any], prefix: str = "") -> None:
        self._path = path
        self._number = number
        self._left = dict(values)
        self._prefix = prefix

    def refuse(self, problem: str) -> Never:
        _refuse(self._path, self._number, self._prefix + problem)

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        if name not in self._left:
            if default is None:
                self.refuse(f"lacks {name!r}")
            return default
        value = self._left.pop(name)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            self.refuse(f"{name} is {type(value).__name__}, not {kind.__name__}")
        if isinstance(value, int | float) and not 0 <= value < float("inf"):
            self.refuse(f"{name} is {value}")
        return value

    def done(self) -> None:
        if self._left:
            self.refuse(f"has an unknown field, {next(iter(self._left))!r}")

    def reply(self) -> RecordedReply:
        trajectory, turn = self.take("trajectory", str), self.take("turn", int)
        reply = RecordedReply(
            trajectory=trajectory,
            turn=turn,
            text=self.take("text", str),
            finish=self._finish(),
            reasoning=self.take("reasoning", str, ""),
            usage=self._usage() if "usage" in self._left else None,
            duration_s=self.take("duration_s", float) if "duration_s" in self._left else None,
        )
        self.done()
        return reply

    def _finish(self) -> Finish:
        name = self.take("finish", str)
        try:
            return Finish(name)
        except ValueError:
            self.refuse(f"finish is {name!r}, not one of {', '.join(Finish)}")

    def _usage(self) -> Usage:
        inner = _Fields(self._path, self._number, self.take("usage", dict), "usage: ")
        usage = Usage(
            prompt_tokens=inner.take("prompt_tokens", int),
            completion_tokens=inner.take("completion_tokens", int),
            cached_tokens=inner.take("cached_tokens", int, 0),
        )
        inner.done()
        return usage
