"""What is graded, what comes of it, and what a grader is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from runs.store.blobs import digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from data.instances.grading import GradingSpec


class GradeOutcome(enum.StrEnum):
    """What became of a patch."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    APPLY_FAILED = "apply_failed"
    """The patch does not apply: not resolved."""
    EMPTY = "empty"
    """There is no patch: not resolved, and nothing was run."""
    TIMEOUT = "timeout"
    """Its tests did not end in time: not resolved."""
    ERROR = "error"
    """Something around it broke: no verdict, and the next `troop grade` tries again."""
    CANNOT_GRADE = "cannot_judge"
    """The row lacks what this grader needs: no verdict. The word is the stored one."""

    @property
    def resolved(self) -> bool | None:
        """The verdict; None: there is none."""
        if self in {GradeOutcome.ERROR, GradeOutcome.CANNOT_GRADE}:
            return None
        return self is GradeOutcome.RESOLVED


@dataclass(frozen=True, slots=True)
class GradingTask:
    """A patch to be graded."""

    spec: GradingSpec
    diff: str
    """As graders get it."""

    @classmethod
    def of(cls, spec: GradingSpec, diff: str) -> GradingTask:
        """With the newline at its end that `git apply` insists on."""
        return cls(spec, diff if not diff or diff.endswith("\n") else diff + "\n")

    @property
    def empty(self) -> bool:
        """Whether there is nothing to apply."""
        return not self.diff.strip()

    @property
    def instance_id(self) -> str:
        """The instance's id."""
        return self.spec.instance_id

    @property
    def key(self) -> tuple[str, str]:
        """(instance, digest of the diff without line ends at its end), as stored grades have it."""
        return self.instance_id, patch_digest(self.diff)


def patch_digest(diff: str) -> str:
    """What a patch is known by: SHA-256 (hex) of its diff without line ends at its end."""
    return digest_of(diff.rstrip("\n"))


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a list of tests: how many are as they should be, and how many are not."""

    passing: int
    failing: int

    def __str__(self) -> str:
        return f"{self.passing}/{self.passing + self.failing}"


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader says of a patch."""

    task: GradingTask
    outcome: GradeOutcome
    detail: str = ""
    """Why, in a line, where the outcome alone does not tell."""
    fail_to_pass: Counts | None = None
    """None: no test was counted."""
    pass_to_pass: Counts | None = None
    report: str = ""
    """The grader's report, JSON."""
    log: str = ""
    """What the tests printed."""
    duration_s: float | None = None
    """Seconds from the start of the work on it; None: unknown."""

    @property
    def resolved(self) -> bool | None:
        """The verdict; None: there is none."""
        return self.outcome.resolved


class Grader(Protocol):
    """Grades patches."""

    @property
    def name(self) -> str:
        """Either "harness" or "sandbox"."""

    @property
    def version(self) -> str:
        """Of what grades, as it is stored."""

    @property
    def timeout_s(self) -> float:
        """Seconds that the tests of one patch may take."""

    def grade(self, tasks: Sequence[GradingTask]) -> AsyncGenerator[Grade, None]:
        """Grade each task once, in any order, each as soon as it is known.

        Closing the generator stops the work and removes what it holds.

        Raises:
            SandboxError: nothing can be graded.
            UsageError: likewise, for a reason that lies with the person.
        """
