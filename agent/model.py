"""The model as trajectories see it: a request goes in, a response comes out.

ModelError (exit 4)
├── ModelRefused       the server will never answer this configuration: key, model name, address
└── ModelUnavailable   the retry budget is spent; what is stored stays, the run can be resumed

ContextExceeded        an outcome of one trajectory: its conversation no longer fits
RequestRejected        an outcome of one trajectory: the server refuses this one request
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal, Protocol

from data.errors import ModelError

Role = Literal["system", "user", "assistant"]


class ModelRefused(ModelError):
    """The server cannot be used as configured: wrong key, unknown model, wrong address."""


class ModelUnavailable(ModelError):
    """The server did not answer within the retry budget."""


class ContextExceeded(Exception):
    """The conversation is longer than the model's context."""


class RequestRejected(Exception):
    """The server refuses this request (HTTP 400/422), but not because of its length."""


class Finish(enum.StrEnum):
    """Why the model stopped writing."""

    STOP = "stop"
    LENGTH = "length"
    """It reached the limit on completion tokens."""
    FILTERED = "filtered"
    EMPTY = "empty"
    """The server answered without any text."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call. `trajectory` and `turn` say where it belongs; recordings are keyed by them."""

    trajectory: str
    """For example "sample-3/editing"; for n > 1 the first of those that share the call."""
    turn: int
    """Counted from 0 within the trajectory."""
    model: str
    messages: tuple[Message, ...]
    temperature: float | None
    """None: not sent, for models that refuse it."""
    max_tokens: int
    siblings: tuple[str, ...] = ()
    """The trajectories that take the further choices, in order: n = 1 + len(siblings)."""

    @property
    def n(self) -> int:
        """How many replies are asked for."""
        return 1 + len(self.siblings)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the server counted them."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    """The part of the prompt that the server had in its prefix cache."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One reply."""

    text: str
    finish: Finish
    reasoning: str = ""
    """What a reasoning model thought, where the server returns it separately."""


@dataclass(frozen=True, slots=True)
class Response:
    """What one call gave: between 1 and n choices."""

    choices: tuple[Choice, ...]
    usage: Usage | None
    """None: the server did not say."""
    duration_s: float
    """Seconds that the successful attempt took."""
    attempts: int = 1
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as a trajectory gets it: its text, and the usage and cost of its call."""

    choice: Choice
    usage: Usage | None
    """Of the whole call, which may have given several replies; None: the server did not say."""
    cost_usd: float | None
    """US dollars of the whole call; None: the price or the usage is unknown."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says about itself before work begins."""

    models: tuple[str, ...] = ()
    """Empty: the server does not list its models."""
    context_tokens: int | None = None
    """The model's context length, where the server says it (vLLM's max_model_len)."""


class ModelClient(Protocol):
    """Answers requests. Safe to call concurrently."""

    async def complete(self, request: ModelRequest) -> Response:
        """Make one call, retried where that may help.

        Raises:
            ModelRefused: wrong key, unknown model, wrong address.
            ModelUnavailable: no answer within the retry budget.
            ContextExceeded: the conversation is too long.
            RequestRejected: the server refuses this request for another reason.
        """

    async def check(self, model: str) -> ServerFacts:
        """Ask the server whether it answers, accepts the key and has `model`.

        Raises:
            ModelRefused: as `complete`; names the models that the server has.
            ModelUnavailable: as `complete`, but at once, not after the retry budget.
        """

    async def close(self) -> None:
        """Give back connections."""
