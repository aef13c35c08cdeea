"""Candidates whose patches could buy votes, with the places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from runs.show.layout import Heading
from runs.words import plain
from selection.selectors.protocol import Reason

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runs.store.story import Story


def flagged(story: Story) -> list[RenderableType]:
    """What is flagged, and whether a model that was shown it chose the candidate all the same."""
    there = [candidate for candidate in story.matrix.candidates if candidate.flags]
    if not there:
        return []
    lines: list[RenderableType] = [Heading("flagged")]
    for candidate in there:
        cleared = (
            candidate.number == story.instance.chosen and story.instance.reason == Reason.SELECTION
        )
        so = "the model that chose it was shown this" if cleared else "so no test counts for it"
        lines.append(plain(f"The patch of candidate {candidate.number} could buy votes, {so}:"))
        lines += [Padding(plain(str(flag), "yellow"), (0, 0, 0, 2)) for flag in candidate.flags]
    return [Text(), *lines]
