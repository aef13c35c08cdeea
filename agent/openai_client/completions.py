"""From a chat completion's JSON to choices and usage. Takes any JSON and never raises."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agent.model import Choice, Finish, Usage

_FINISHES = {
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "content_filter": Finish.FILTERED,
    "refusal": Finish.FILTERED,
}
_EMPTY = Choice(text="", finish=Finish.EMPTY)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a server wrote."""

    choices: tuple[Choice, ...]
    """At least one."""
    usage: Usage | None


def read_completion(body: bytes, n: int) -> Completion | None:
    """Read at most `n` choices; None if the body is not a chat completion."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or "choices" not in data:
        return None
    found = data["choices"]
    choices = [_choice(one) for one in found[:n]] if isinstance(found, list) else []
    if not choices and data.get("error"):
        return None
    return Completion(tuple(choices) or (_EMPTY,), read_usage(data.get("usage")))


def read_usage(data: object) -> Usage | None:
    """Tokens as the server counted them; None if it did not, or they cannot be read."""
    if not isinstance(data, dict):
        return None
    prompt, written = _count(data.get("prompt_tokens")), _count(data.get("completion_tokens"))
    if prompt is None or written is None:
        return None
    details = data.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    if cached is None:  # DeepSeek; Moonshot
        cached = _count(data.get("prompt_cache_hit_tokens"))
    if cached is None:
        cached = _count(data.get("cached_tokens"))
    return Usage(prompt, written, min(cached or 0, prompt))


def _choice(data: object) -> Choice:
    if not isinstance(data, dict):
        return _EMPTY
    message = data.get("message")
    if not isinstance(message, dict):
        message = {}
    text, thought = _parts(message.get("content"))
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    thought = reasoning if isinstance(reasoning, str) else thought
    said = data.get("finish_reason")
    finish = _FINISHES.get(said, Finish.STOP) if isinstance(said, str) else Finish.STOP
    refusal = message.get("refusal")
    if not text.strip() and isinstance(refusal, str) and refusal:
        text, finish = refusal, Finish.FILTERED
    text, thought = _storable(text), _storable(thought)
    if not text.strip():
        # Say why there is no text where the server does: cut while thinking, or filtered.
        return Choice("", Finish.EMPTY if finish is Finish.STOP else finish, thought)
    return Choice(text, finish, thought)


def _storable(text: str) -> str:
    """`text` without lone surrogates: JSON can escape them, UTF-8 and databases refuse them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _parts(content: object) -> tuple[str, str]:
    """Text and thought of a message's content, which may be a list of parts."""
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        return "", ""
    text, thought = "", ""
    for part in content:
        if isinstance(part, str):
            text += part
        elif isinstance(part, dict):
            if isinstance(said := part.get("text"), str):
                text += said
            thought += _parts(part.get("thinking"))[0]
    return text, thought


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < float("inf") else None
