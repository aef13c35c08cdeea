"""The patches of a run that are handed out, cleaned by rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.patches.litter import litter_of, without_litter
from data.paths import show_path
from runs.store.registry import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from data.patches.litter import Litter
    from runs.store.reading import Reader, Row


@dataclass(slots=True)
class Patches:
    """Diffs by instance id ("": the instance ended without one), and what to know about them."""

    diffs: dict[str, str] = field(default_factory=dict)
    repos: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """A line for people about each file that was taken out, or is there and should not be."""

    @property
    def empty(self) -> int:
        """How many instances have no patch."""
        return sum(not diff for diff in self.diffs.values())


def chosen_patches(
    reader: Reader,
    run: str,
    *,
    only: Collection[str] = (),
    clean: bool = False,
    tests: bool = False,
) -> Patches:
    """Collect the chosen patch of each instance of a run, or of those named in `only`.

    Instances that have not come to their end are left out, so that a failure of
    the machine never counts as an empty patch. `clean` takes scratch files out
    of the patches, `tests` test files.
    """
    found = Patches()
    for row in reader.view("instances", run=run):
        name = row["instance_id"]
        if row["status"] not in {Status.SOLVED, Status.UNSOLVED} or (only and name not in only):
            continue
        found.repos[name] = row["repo"]
        found.diffs[name] = _cleaned(reader, row, found.notes, scratch=clean, tests=tests)
    return found


def _cleaned(reader: Reader, row: Row, notes: list[str], *, scratch: bool, tests: bool) -> str:
    name = row["instance_id"]
    cleaned = without_litter(reader.text(row["patch"]), scratch=scratch, tests=tests)
    notes += [f"{name}: took out {file}" for file in named(cleaned.taken)]
    if cleaned.emptied:
        notes.append(f"{name}: nothing is left of its patch")
    notes += [f"{name}: touches {file}" for file in named(litter_of(cleaned.diff))]
    return cleaned.diff


def named(files: Iterable[Litter]) -> list[str]:
    """Name files that a patch should not bring along, and what they are."""
    return [f"{show_path(file.path)} ({file.rule.what})" for file in files]
