"""What can be set about the model and the trajectories.

The defaults are those of CodeMonkeys (arXiv 2501.14723, appendix).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

STRICT: dict[str, Any] = {"extra": "forbid"}
"""Read by pydantic when a configuration is loaded: an unknown key is an error."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model server and how it is called."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str = ""
    """The model's name as the server knows it."""
    base_url: str | None = None
    """Where the server answers, usually ending in /v1; None: the hosted default of `openai`."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key. The key itself is never configured or stored."""
    timeout_s: float = 600.0
    """Of one attempt at a call."""
    retry_budget_s: float = 600.0
    """Wall time that one call may spend on attempts and waits before the run stops."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the server calls the limit on completion tokens."""
    samples_per_call: int = 0
    """Replies asked for in one request (n) at the first turn of the tests; 0: all samples'."""


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """Which files the model sees: every file is read, the relevant ones are ranked."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    model: str = ""
    """A cheaper model that reads the files, on the same server; "": the main model."""
    tokens: int = 128_000
    """What the context may hold, in tokens."""
    rankings: int = 3
    """Rankings of the relevant files, averaged."""
    prefilter_files: int = 0
    """Read only this many files, chosen by BM25 over path and text; 0: every source file."""
    part_tokens: int = 24_000
    """A longer file is read in parts of this size."""
    max_tokens: int = 1024
    """Completion tokens of one relevance reply."""
    ranking_max_tokens: int = 4096
    temperature: float | None = 0.0
    ranking_temperature: float | None = 0.5


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """The samples: independent attempts, each a testing and an editing trajectory."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    strategy: str = "codemonkeys"
    """How samples are made: "codemonkeys" (a test, then an edit), "tests-only" (for candidates
    that come from elsewhere), or "none"."""
    count: int | None = None
    """Independent attempts at each instance; unset: 10, or as many as the run to be resumed has."""
    temperature: float | None = 0.5
    testing_turns: int = 8
    editing_turns: int = 8
    testing_max_tokens: int = 4096
    editing_max_tokens: int = 8192
