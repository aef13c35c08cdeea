"""What to grade: the patches of a run or of a predictions file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.predictions.predictions import columns_of
from data.predictions.rows import read_rows
from runs.grading.nouns import patch_digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord
    from runs.store.story import Story


@dataclass(frozen=True, slots=True)
class Subject:
    """One patch for one instance, as figures count it."""

    instance_id: str
    diff: str
    """"" if the instance ended without a patch."""
    name: str
    """The name it is counted under: its run's, or its model's in a predictions file."""
    model: str
    """Who wrote it."""
    chosen: bool
    """Whether it is the final patch of its run, or its model, for the instance."""
    writers: int = 1
    """How many samples or systems wrote it."""
    candidate: int | None = None
    """Its number in the run."""

    @property
    def key(self) -> tuple[str, str]:
        """The same as `GradingTask.key`."""
        return self.instance_id, patch_digest(self.diff)


def of_run(reader: Reader, run: RunRecord, names: Sequence[str], *, every: bool) -> list[Subject]:
    """The chosen patch of each instance that has ended, or `every` candidate.

    An instance without a patch is an empty subject, and so are samples that should
    have written a patch and did not.

    Raises:
        UsageError: there is no such instance, or none has ended.
    """
    instances: Sequence[InstanceRecord] = reader.instances(run.name)
    if names:
        instances = [reader.instance(run.name, name) for name in dict.fromkeys(names)]
    found: list[Subject] = []
    for instance in instances:
        if instance.status.final:
            story = reader.story(instance)
            found += _candidates(story, run) if every else [_chosen(story, run)]
    if not found:
        raise UsageError(
            f"No instance of {run.name} has ended.", hint="Continue the run with `troop run`."
        )
    return found


def of_predictions(path: Path, names: Sequence[str], notes: list[str]) -> list[Subject]:
    """The patches of a predictions file as they are; an instance may have several.

    A damaged row is left out, with a line in `notes`.

    Raises:
        UsageError: the file cannot be read, or holds none of what is asked for.
    """
    found: dict[tuple[str, str, str], Subject] = {}
    for row in read_rows(path):
        try:
            instance_id, model, diff = columns_of(row)
        except UsageError as error:
            notes.append(f"{error.message} It is left out.")
            continue
        name = model or path.stem
        subject = Subject(instance_id, diff if diff.strip() else "", name, name, chosen=True)
        if not names or instance_id in names:
            found.setdefault((*subject.key, name), subject)
    missing = [name for name in names if not any(s.instance_id == name for s in found.values())]
    if missing or not found:
        raise UsageError(
            f"{path} has no prediction for {', '.join(missing) or 'any instance'}.",
            hint=notes[0] if notes else "",
        )
    return list(found.values())


def _chosen(story: Story, run: RunRecord) -> Subject:
    chosen = story.instance.chosen
    return Subject(story.name, story.patch, run.name, run.model, chosen=True, candidate=chosen)


def _candidates(story: Story, run: RunRecord) -> list[Subject]:
    found = [
        Subject(
            story.name,
            candidate.diff,
            run.name,
            ", ".join(candidate.systems) or run.model,
            chosen=candidate.number == story.instance.chosen,
            writers=candidate.support,
            candidate=candidate.number,
        )
        for candidate in story.candidates
    ]
    without = sum(sample.candidate is None for sample in story.samples) if run.edits else 0
    if without or not found:
        none = story.instance.chosen is None
        found.append(Subject(story.name, "", run.name, run.model, chosen=none, writers=without))
    return found
