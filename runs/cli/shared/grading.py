"""What the commands that grade share: their flags, the grader, and its progress."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self, TypeVar

from runs.cli.shared.flags import add_parallel
from runs.cli.shared.spellings import once_called

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from runs.grading.nouns import Grader
    from runs.grading.session import Step

T = TypeVar("T")
TIMEOUT_S = 1800.0
"""As the harness has it."""


def add_grading(group: argparse._ArgumentGroup) -> None:
    """The flags that say who grades, and how."""
    group.add_argument(
        "--with",
        dest="grader",
        choices=("harness", "sandbox"),
        default="harness",
        help="what grades: the official SWE-bench harness, or Troop's own sandbox (default:"
        " harness)",
    )
    add_parallel(group, "patches (default: three quarters of the cores)", "--workers")
    timeout = group.add_argument(
        "--grade-timeout",
        type=float,
        default=TIMEOUT_S,
        metavar="S",
        help="time limit for the tests of one patch, in seconds (default: 1800)",
    )
    once_called(group, timeout, "--timeout")
    group.add_argument(
        "--again", action="store_true", help="grade again what has a grade in the database"
    )
    group.add_argument(
        "--harness-python",
        metavar="PATH",
        help="a Python that has swebench (default: the one that runs Troop)",
    )


def grader_of(args: argparse.Namespace, watch: Watch) -> Grader:
    """The grader that the flags name; `watch` shows what it waits for.

    Raises:
        UsageError: it is not installed, or a number makes no sense.
    """
    from data.errors import UsageError

    workers = default_workers() if args.parallel is None else args.parallel
    if workers < 1 or args.grade_timeout < 1:
        raise UsageError("--parallel and --grade-timeout must be 1 or more.")
    if args.grader == "sandbox":
        from runs.grading.sandbox_grader import SandboxGrader
        from runs.run.session import version

        return SandboxGrader(
            f"troop {version()}",
            workers=workers,
            timeout_s=args.grade_timeout,
            label="grade",
            tell=watch.waiting,
        )
    from runs.grading.harness import find_harness
    from runs.grading.harness_grader import HarnessGrader

    harness = find_harness(args.harness_python)
    return HarnessGrader(harness, workers=workers, timeout_s=args.grade_timeout)


def default_workers() -> int:
    """Three quarters of the cores, which is what the harness advises."""
    return max(1, (os.cpu_count() or 1) * 3 // 4)


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Write the results of grading, the file whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    from data.errors import StoreError
    from data.writing import put_file

    text = "".join(f"{line}\n" for line in lines)
    try:
        put_file(file, text.encode("utf-8", "replace"))
    except StoreError as error:
        raise StoreError(
            error.message, hint=f"{error.hint} The grades are in the database."
        ) from error


class Watch:
    """Shows how far grading is: a bar in a terminal, a line for each grade elsewhere."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        from runs.cli.shared.terminal import progress

        self._console = progress()
        self._bar = Progress(
            TextColumn("grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            Remaining(),
            console=self._console,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=None)
        self._resolved, self._waiting = 0, ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def waiting(self, what: str) -> None:
        """Show in a terminal what is waited for; "" for nothing. Safe to call from any thread."""
        from runs.words import visible

        self._waiting = visible(what)
        self._bar.update(self._task, description=self._described())

    def _described(self) -> str:
        return f"{self._resolved} resolved  {self._waiting}".strip()

    def __call__(self, step: Step) -> None:
        """Show that grading begins, or that a grade has come in."""
        from runs.words import plain

        if step.grade is None:
            known = f", {step.known} have a verdict" if step.known else ""
            self._console.print(plain(f"To be graded: {step.of}{known}"), soft_wrap=True)
        else:
            grade = step.grade
            said = f"{grade.task.instance_id}: {grade.outcome.replace('_', ' ')}"
            said += f" ({grade.detail})" if grade.detail else ""
            if self._bar.disable:
                self._console.print(plain(f"{step.done}/{step.of}  {said}"), soft_wrap=True)
            elif grade.resolved is None:
                self._bar.print(plain(said), soft_wrap=True)
        self._resolved = step.resolved
        self._bar.update(
            self._task,
            completed=step.done,
            total=step.of,
            description=self._described(),
        )
