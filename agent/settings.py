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
"""How many samples an instance gets if nobody says."""
SMALLEST_CONTEXT = 500
"""In tokens; with fewer, not even a short file fits."""

FilesSize = Annotated[int, Interval(ge=SMALLEST_CONTEXT, le=1_000_000_000)]


def strategies() -> tuple[str, ...]:
    """The names of all ways to write samples."""
    from agent.strategies import STRATEGIES

    return tuple(STRATEGIES)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model server, and how Troop calls it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str = ""
    """The model's name, as the server knows it."""
    base_url: str | None = None
    """The server's address, which usually ends in /v1. Unset: OPENAI_BASE_URL, or OpenAI's own
    server."""
    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the API key. The key itself is never stored."""
    timeout_s: Seconds = 600.0
    """Seconds that the server has to answer one request. After that the call is tried again."""
    retry_budget_s: SecondsOrZero = 600.0
    """How long a call that failed is tried again, in seconds. After that the run stops.
    0: it is not tried again."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """The server's name for the limit on the length of a reply."""
    samples_per_call: CountOrZero = 0
    """How many samples share one request for their first test. 0: all samples of the instance."""


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """Which files the model is shown: it reads every source file and ranks the relevant ones."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    model: str = ""
    """A cheaper model on the same server that reads the files. "": the main model."""
    tokens: FilesSize = 128_000
    """The size of the context, in tokens."""
    rankings: Count = 3
    """How many times the relevant files are ranked. Their mean rank decides."""
    prefilter_files: CountOrZero = 0
    """Read only this many files: those that match the issue's words best (BM25). 0: every file."""
    largest_file: Size = MAX_FILE_BYTES
    """The size of the largest file that is read, in bytes. A larger file is not read, is not
    shown to the model, and cannot be edited."""
    part_tokens: FilesSize = 24_000
    """A file that is longer than this is read in parts of this size, in tokens."""
    max_tokens: Size = 1024
    """The longest reply about one file, in tokens."""
    ranking_max_tokens: Size = 4096
    """The longest reply with a ranking, in tokens."""
    temperature: Temperature = 0.0
    """The temperature for reading files. "none": it is not sent, because some models refuse it."""
    ranking_temperature: Temperature = 0.5
    """The temperature for ranking files. "none": it is not sent."""


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """Independent attempts, each a testing trajectory and then an editing trajectory."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    strategy: Annotated[str, OneOf(strategies)] = "codemonkeys"
    """What a sample does. "codemonkeys": it writes a test, then edits that it tries on the test.
    "tests-only": it writes a test, for candidates that come from elsewhere. "none": there are
    no samples."""
    count: Count | None = None
    """Samples for each instance. Unset: 10 in a new run, and as many as before in a run that is
    continued. You can ask for more later."""
    temperature: Temperature = 0.5
    """The temperature for writing tests and edits. "none": it is not sent."""
    testing_turns: Count = 8
    """The most replies in one testing trajectory."""
    editing_turns: Count = 8
    """The most replies in one editing trajectory."""
    testing_max_tokens: Size = 4096
    """The longest reply in a testing trajectory, in tokens."""
    editing_max_tokens: Size = 8192
    """The longest reply in an editing trajectory, in tokens."""
