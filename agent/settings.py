"""What can be set about the model and the trajectories.

The defaults are those of CodeMonkeys (arXiv 2501.14723, appendix).
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Interval

from data.bounds import (
    STRICT,
    Count,
    CountOrZero,
    OneOf,
    Seconds,
    SecondsOrZero,
    Size,
    Temperature,
)
from data.codebases.reader import MAX_FILE_BYTES

USUAL_SAMPLES = 10
"""Of each instance, where nobody says how many."""
SMALLEST_CONTEXT = 500
"""Tokens; below it not even a short file fits."""

FilesSize = Annotated[int, Interval(ge=SMALLEST_CONTEXT, le=1_000_000_000)]


def strategies() -> tuple[str, ...]:
    """The names of all ways to write samples."""
    from agent.strategies import STRATEGIES

    return tuple(STRATEGIES)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model server and how it is called."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str = ""
    """The model's name as the server knows it."""
    base_url: str | None = None
    """Where the server answers, usually ending in /v1; unset: the hosted default of `openai`."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key. The key itself is never configured or stored."""
    timeout_s: Seconds = 600.0
    """Seconds that one attempt at a call may take."""
    retry_budget_s: SecondsOrZero = 600.0
    """Seconds that one call may spend on attempts and waits before the run stops; 0: no retry."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the server calls the limit on completion tokens."""
    samples_per_call: CountOrZero = 0
    """Replies asked for in one request (n) at the first turn of the tests; 0: all samples'."""


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """Which files the model sees: every file is read, the relevant ones are ranked."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    model: str = ""
    """A cheaper model that reads the files, on the same server; "": the main model."""
    tokens: FilesSize = 128_000
    """What the context may hold, in tokens."""
    rankings: Count = 3
    """Rankings of the relevant files, averaged."""
    prefilter_files: CountOrZero = 0
    """Read only this many files, chosen by BM25 over path and text; 0: every source file."""
    largest_file: Size = MAX_FILE_BYTES
    """Bytes; a larger file is neither read nor shown, and cannot be edited."""
    part_tokens: FilesSize = 24_000
    """A longer file is read in parts of this size, in tokens."""
    max_tokens: Size = 1024
    """Completion tokens of one relevance reply."""
    ranking_max_tokens: Size = 4096
    """Completion tokens of one ranking."""
    temperature: Temperature = 0.0
    """For reading files; "none": not sent, for models that refuse one."""
    ranking_temperature: Temperature = 0.5
    """For ranking files; "none": not sent."""


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """The samples: independent attempts, each a testing and an editing trajectory."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    strategy: Annotated[str, OneOf(strategies)] = "codemonkeys"
    """How samples are written. "codemonkeys": a test, then edits that are tried on it;
    "tests-only": tests, for candidates that come from elsewhere; "none": no samples."""
    count: Count | None = None
    """Samples of each instance; unset: 10, or as many as the run has that goes on. A run may be
    asked for more later on."""
    temperature: Temperature = 0.5
    """For writing tests and edits; "none": not sent."""
    testing_turns: Count = 8
    """Replies of one testing trajectory."""
    editing_turns: Count = 8
    """Replies of one editing trajectory."""
    testing_max_tokens: Size = 4096
    """Completion tokens of one reply of a testing trajectory."""
    editing_max_tokens: Size = 8192
    """Completion tokens of one reply of an editing trajectory."""
