"""The patches of a run for export, cleaned by rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.patches.litter import litter_of, without_litter
from runs.store.registry import Status
from runs.words import named

if TYPE_CHECKING:
    from collections.abc import Collection

    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord


@dataclass(slots=True)
class Patches:
    """Diffs by instance id ("": the instance ended without a patch), and notes on them."""

    diffs: dict[str, str] = field(default_factory=dict)
    repos: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """A line for people about each file that was taken out, or should not be there."""

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

    Instances that have not ended are left out, so that a failure of the machine
    never counts as an empty patch. `clean` takes scratch files out of the patches;
    `tests` takes out test files.
    """
    found = Patches()
    for one in reader.instances(run):
        name = one.instance_id
        if one.status not in {Status.PATCHED, Status.NO_PATCH} or (only and name not in only):
            continue
        found.repos[name] = one.repo
        found.diffs[name] = _cleaned(reader, one, found.notes, scratch=clean, tests=tests)
    return found


def _cleaned(
    reader: Reader, instance: InstanceRecord, notes: list[str], *, scratch: bool, tests: bool
) -> str:
    name = instance.instance_id
    cleaned = without_litter(reader.text(instance.patch), scratch=scratch, tests=tests)
    notes += [f"{name}: took out {file}" for file in named(cleaned.taken)]
    if cleaned.emptied:
        notes.append(f"{name}: nothing is left of the patch")
    notes += [f"{name}: touches {file}" for file in named(litter_of(cleaned.diff))]
    return cleaned.diff
