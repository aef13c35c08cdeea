"""The repository's own test files: which vote, which do not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.words import counted, plain
from selection.regression.survey import why_no_vote

if TYPE_CHECKING:
    from rich.text import Text

    from runs.store.story import Story


def own_tests(story: Story) -> list[Text]:
    """A line for each file, in the order of columns; a sentence if none votes."""
    files = sorted(story.regression_files, key=lambda each: (each.test is None, each.test or 0))
    lines = []
    for file in files:
        if file.test is None:
            lines.append(plain(f"no vote: {file.path}: {file.reason}", "dim"))
        else:
            passing = (
                ""
                if file.passing is None
                else f": {counted(file.passing, 'test passes', 'tests pass')} before the edit"
            )
            lines.append(plain(f"{file.test}r is {file.path}{passing}", "dim"))
    wanted = story.run.config.get("selection.regression_files")
    if wanted is None:  # made by a version that did not look at them
        return lines
    why = why_no_vote(story.matrix.regression_files, wanted=wanted)
    return [*lines, plain(why, "yellow")] if why else lines
