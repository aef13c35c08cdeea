"""What a sandbox is.

A `SandboxProvider` opens one `Sandbox` per instance; the sandbox executes
scripts on the instance's codebase with a patch laid over it. Every execution
starts from the same state and leaves nothing behind.
"""

from __future__ import annotations

import enum
import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, Self

from annotated_types import Interval

from data.bounds import STRICT, Count, Seconds, Size
from data.codebases.reader import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from data.codebases.codebase import Codebase
    from data.instances.instance import Instance
    from data.patches.patch import Patch


class Ending(enum.StrEnum):
    """How a script ended."""

    EXITED = "exited"
    """It ended by itself; `exit_code` is its own (128 + n after signal n)."""
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_EXCEEDED = "disk_exceeded"
    OUTPUT_EXCEEDED = "output_exceeded"
    CUT_SHORT = "cut_short"
    """The process ended with 0 or 2, but not because the script came to its end: code of the
    repository ended it. Such an exit code says nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one execution may use."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    timeout_s: Seconds = 100.0
    """Wall-clock seconds, as in CodeMonkeys."""
    memory_mb: Annotated[int, Interval(ge=6, le=1_000_000_000)] = 4096
    """Memory, in MB. Docker allows no less than 6."""
    processes: Count = 512
    """Processes and threads at the same time."""
    disk_mb: Size = 2048
    """All that it may write, in MB. Checked about once a second where the engine has no quotas."""
    file_mb: Size = 1024
    """The largest file that it may write, in MB."""
    output_chars: Size = 8192
    """How many characters of its output are kept, as in CodeMonkeys. The middle of a longer
    output is left out."""
    output_mb: Size = 64
    """All that it may print, in MB. A script that prints more is stopped."""
    cpus: Annotated[float, Interval(ge=0.01, le=10_000)] = 1.0
    """Processor cores. A fraction is allowed."""


@dataclass(frozen=True)
class Script:
    """A test script and the command that runs it."""

    text: str
    interpreter: str = "python"
    """Looked up on PATH after the environment was activated."""
    suffix: str = ".py"

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over text and interpreter: equal scripts have equal digests."""
        parts = (self.interpreter, self.suffix, self.text)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Execution:
    """What happened when a script ran."""

    ending: Ending
    exit_code: int | None
    """None unless the script exited by itself."""
    output: str
    """Standard output and error as they came, bounded, valid text, control characters escaped."""
    output_bytes: int
    """How much it printed before bounding."""
    duration_s: float

    @property
    def passed(self) -> bool:
        """Whether the script says that the issue is fixed."""
        return self.ending is Ending.EXITED and self.exit_code == 0


class Sandbox(Protocol):
    """Runs scripts on one instance's codebase. Safe to call concurrently."""

    async def read_codebase(self, largest: int = MAX_FILE_BYTES) -> Codebase:
        """The text files of the repository, as scripts see it before any patch.

        `largest`: the size, in bytes, of the largest file that is read.

        Raises:
            SandboxError: the engine failed.
        """

    async def execute(self, script: Script, patch: Patch, limits: Limits) -> Execution:
        """Run `script` in the repository with `patch` laid over it.

        A cancelled call stops its script and cleans up before it returns.

        Raises:
            SandboxError: the engine failed, not the script; another try may succeed.
            SandboxUnavailable: no execution can succeed until a person fixes it.
            UsageError: the patch cannot be laid over the codebase: a path that leads
                out of it, lies in `.git`, or behind a symbolic link.
        """

    async def close(self) -> None:
        """Give back what the sandbox holds. Safe to call twice."""


class SandboxProvider(Protocol):
    """Opens sandboxes of one kind."""

    @property
    def kind(self) -> str:
        """Stored with each run: "docker" or "local"."""

    def describe(self) -> str:
        """One line for people: what runs scripts, and how well it is isolated."""

    def slots(self, limits: Limits) -> int:
        """How many executions the machine that runs them can run at once."""

    def expect(self, instances: Sequence[Instance]) -> None:
        """Prepare for these, which are opened next, in this order."""

    async def open(
        self, instance: Instance, *, run: str, tell: Callable[[str], None] | None = None
    ) -> Sandbox:
        """A sandbox for `instance`; `run` labels what it creates.

        `tell` is called, in any thread, with one line that says what is waited for ("pulling
        12 of 980 MB"; "": nothing).

        Raises:
            SandboxUnavailable: there is no engine, or no such image.
            SandboxError: the engine failed.
            UsageError: this kind of sandbox cannot hold this instance.
        """

    async def __aenter__(self) -> Self:
        """Connect, and remove what dead owners left."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove whatever this provider still holds."""
