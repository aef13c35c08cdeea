"""The grades that commands measure choices by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runs.compare.grades import Grades
    from runs.store.reading import Reader


def grades_for(reader: Reader, run: str, files: Sequence[Path]) -> Grades | None:
    """The grades of the files, else those that `troop grade` has stored; None: there are none.

    Raises:
        UsageError: a file cannot be read, or has two different grades for one patch.
    """
    from runs.cli.shared.terminal import progress
    from runs.compare.grades import Grades, read_grades
    from runs.grading.stored import verdicts

    if files:
        return read_grades(*files)
    stored = verdicts(reader, run)
    if not stored:
        return None
    progress().print("Grades: those that `troop grade` has stored.")
    return Grades(stored)
