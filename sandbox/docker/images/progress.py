"""How far a pull is, added up from what the engine says about each layer."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.docker.engine.failure import classify_pull, to_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FROM_THE_STREAM = 200


class PullState(enum.StrEnum):
    """What is happening to an image."""

    WAITING = "waiting"
    """Others are pulled first."""
    PULLING = "pulling"
    UNPACKING = "unpacking"
    PAUSED = "paused"
    """The registry limits pulls, or cannot be reached; `note` says until when."""
    READY = "ready"


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far the pull of an image is."""

    name: str
    stage: PullState
    done_bytes: int = 0
    total_bytes: int = 0
    """The bytes of all layers whose download has begun, so it grows at the beginning."""
    note: str = ""
    """For people, where there is something to say."""


def in_words(progress: PullProgress) -> str:
    """What is happening to an image, for people; "" once it is there."""
    match progress.stage:
        case PullState.READY:
            return ""
        case PullState.WAITING:
            return f"waiting to pull {progress.name}"
        case PullState.PAUSED:
            return progress.note
        case PullState.UNPACKING:
            return f"unpacking {progress.name}"
    done, total = (round(count / 1e6) for count in (progress.done_bytes, progress.total_bytes))
    return f"pulling {progress.name}" + (f": {done} of {total} MB" if total else "")


class Layers:
    """Adds up the layers of one image."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self._downloading: set[str] = set()

    def add(self, message: dict[str, Any]) -> PullProgress:
        """Add one of the engine's messages.

        Raises:
            SandboxError: it says that the pull failed.
        """
        detail = message.get("errorDetail") or {}
        failure = detail.get("message") or message.get("error")
        if failure:
            raise to_error(classify_pull(self._name, _FROM_THE_STREAM, str(failure)))
        self._count(str(message.get("id", "")), message)
        unpacking = bool(self._total) and not self._downloading
        stage = PullState.UNPACKING if unpacking else PullState.PULLING
        return PullProgress(self._name, stage, sum(self._done.values()), sum(self._total.values()))

    def _count(self, layer: str, message: dict[str, Any]) -> None:
        amounts = message.get("progressDetail") or {}
        match message.get("status"):
            case "Pulling fs layer" | "Waiting":
                self._downloading.add(layer)
            case "Downloading":
                self._downloading.add(layer)
                self._done[layer] = int(amounts.get("current") or 0)
                self._total[layer] = max(int(amounts.get("total") or 0), self._done[layer])
            case "Verifying Checksum" | "Download complete" | "Already exists" | "Pull complete":
                self._downloading.discard(layer)
                self._done[layer] = self._total.setdefault(layer, 0)


def messages(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects in a stream that comes in pieces of any size."""
    pending = ""
    decoder = json.JSONDecoder()
    for chunk in chunks:
        pending += chunk.decode("utf-8", "replace")
        while pending := pending.lstrip():
            try:
                message, end = decoder.raw_decode(pending)
            except ValueError:
                break  # the rest is still to come
            pending = pending[end:]
            if isinstance(message, dict):
                yield message
