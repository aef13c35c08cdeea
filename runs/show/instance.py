"""One instance: its samples, the vote matrix, why its patch was chosen, what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from data.patches.litter import litter_of
from runs.show.choice import choice
from runs.show.cost import cost_table
from runs.show.flagged import flagged
from runs.show.layout import Heading, diff_text
from runs.show.legends import legend, or_dash, table
from runs.show.matrix import vote_matrix
from runs.words import counted, listed, named, plain
from selection.support import Support

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from runs.store.records import SampleRecord
    from runs.store.story import Story

ENDINGS = {
    "done": "the conversation came to its end: the model had what it was asked for",
    "out_of_turns": "the model had no reply left; what it wrote last counts",
    "no_edit": "the model wrote no edit that applies",
    "unreadable": "no reply was in the form that was asked for",
    "context_exceeded": "the conversation no longer fit the model",
    "rejected": "the server refused a request",
    "failed": "an unexpected error ended it; its trajectory has the trace",
}
"""How trajectories and samples end, by the stored outcome."""
SHOWN_FILES = 4


def instance_report(story: Story) -> RenderableType:
    """Everything about one instance that fits on a page or two."""
    parts: list[RenderableType] = [_heading(story)]
    if story.samples:
        parts.append(samples_table(story))
    if story.candidates:
        parts += [Text(), vote_matrix(story)]
        parts += flagged(story)
        parts += [Text(), *choice(story)]
        parts += [Text(), patch(story)]
    parts += [Text(), cost_table(story)]
    return Group(*parts)


def patch(story: Story) -> RenderableType:
    """The chosen patch."""
    diff = story.patch
    shown: list[RenderableType] = [
        Heading("patch"),
        diff_text(diff),
    ]
    litter = named(litter_of(diff))
    if litter:
        said = (
            f"It touches {', '.join(litter)}: troop export --clean, --clean-tests leave them out."
        )
        shown.append(plain(said, "yellow"))
    return Group(*shown)


def samples_table(story: Story) -> RenderableType:
    """A line for each sample."""
    made = table("sample", "ended", "test", "candidate", numbers="sample,test,candidate")
    for sample in story.samples:
        made.add_row(
            str(sample.number),
            sample.outcome.replace("_", " "),
            or_dash(sample.test),
            or_dash(sample.candidate),
        )
    return Group(
        Heading("samples"),
        made,
        legend(
            ("test", "the number of the test that the sample ended with"),
            ("candidate", "the number of its patch; equal patches share one"),
            *endings_legend(sample.outcome for sample in story.samples),
        ),
        *(_left_out(sample) for sample in story.samples if sample.error),
    )


def _left_out(sample: SampleRecord) -> Text:
    """Why a patch is no candidate, with the trace of the error."""
    return plain(
        f"\nThe patch of sample {sample.number} is not a candidate, because of an error:\n"
        f"{sample.error.rstrip()}",
        "red",
    )


def endings_legend(outcomes: Iterable[str]) -> list[tuple[str, str]]:
    """What the outcomes shown mean, each once."""
    there = set(outcomes)
    found = (name for name in ENDINGS if name in there)
    return [(name.replace("_", " "), ENDINGS[name]) for name in found]


def _heading(story: Story) -> RenderableType:
    instance, files = story.instance, story.instance.context_files
    issue = next(iter(story.issue.strip().splitlines()), "")
    text = Text()
    text.append(instance.instance_id, style="bold")
    good = story.evidence is not None and story.evidence.support is Support.SUPPORTED
    said = "" if story.evidence is None else f", {story.evidence.support}"
    text.append(f"  {instance.status.words}{said}", style="green" if good else "yellow")
    text.append(f"  run {instance.run}\n", style="dim")
    text.append_text(plain(f"issue: {issue[:120]}\n"))
    if files:
        more = len(files) - SHOWN_FILES
        names = [*files[:SHOWN_FILES], *([counted(more, "more file")] if more > 0 else [])]
        text.append_text(plain(f"files shown to the model: {listed(names)}\n", "dim"))
    if instance.error:
        text.append_text(plain(f"error: {instance.error}\n", "red"))
    return text
