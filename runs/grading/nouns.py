"""What is graded, what the grades are, and what a grader is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from runs.store.blobs import digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from data.instances.grading import GradingSpec


class GradeOutcome(enum.StrEnum):
    """The outcome of grading a patch."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    APPLY_FAILED = "apply_failed"
    """The patch does not apply: not resolved."""
    EMPTY = "empty"
    """There is no patch: not resolved, and no test was run."""
    TIMEOUT = "timeout"
    """The tests reached their time-out: not resolved."""
    ERROR = "error"
    """Something around it broke: no verdict, and the next `troop grade` tries again."""
    CANNOT_GRADE = "cannot_judge"
    """The row lacks what this grader needs: no verdict. This is how it is stored."""

    @property
    def resolved(self) -> bool | None:
        """The verdict; None: there is none."""
        if self in {GradeOutcome.ERROR, GradeOutcome.CANNOT_GRADE}:
            return None
        return self is GradeOutcome.RESOLVED


@dataclass(frozen=True, slots=True)
class GradingTask:
    """A patch to grade."""

    spec: GradingSpec
    diff: str
    """The diff as graders get it."""

    @classmethod
    def of(cls, spec: GradingSpec, diff: str) -> GradingTask:
        """A task, with the newline at the end of its diff that `git apply` needs."""
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
        """(instance, digest of the diff without line ends at its end), as in stored grades."""
        return self.instance_id, patch_digest(self.diff)


def patch_digest(diff: str) -> str:
    """The digest of a patch: the SHA-256 (hex) of its diff without line ends at its end."""
    return digest_of(diff.rstrip("\n"))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tests of a list are as they should be, and how many are not."""

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
    """Why, in one line, if the outcome alone does not say it."""
    fail_to_pass: Counts | None = None
    """The tests of FAIL_TO_PASS; None: no test was counted."""
    pass_to_pass: Counts | None = None
    report: str = ""
    """The grader's report, JSON."""
    log: str = ""
    """What the tests printed."""
    duration_s: float | None = None
    """Seconds that grading took; None: unknown."""

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
        """The version of what grades, as it is stored."""

    @property
    def timeout_s(self) -> float:
        """The time-out of the tests of one patch, in seconds."""

    def grade(self, tasks: Sequence[GradingTask]) -> AsyncGenerator[Grade, None]:
        """Grade each task once, in any order, and yield each grade as soon as it is known.

        Closing the generator stops the work and cleans up.

        Raises:
            SandboxError: nothing can be graded.
            UsageError: the same, for a reason in what the person gave.
        """
