"""Grades from a file, for measuring selection afterwards. No selector ever sees one."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from data.patches.changes import changed_lines, net_lines
from data.predictions.columns import instance_of
from data.records import Record, kind_of, read_json
from runs.store.blobs import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from selection.matrix import Matrix

_LIKENESSES: tuple[Callable[[str], tuple[object, ...]], ...] = (changed_lines, net_lines)
"""The ways in which diffs count as equal, the strictest first."""
_PATCHES = ("model_patch", "patch", "fix_patch", "diff")
_DIGESTS = ("candidate", "digest")
_VERDICTS = ("resolved_here", "resolved")


@dataclass(frozen=True, slots=True)
class Grades:
    """Verdicts by instance and patch."""

    exact: Mapping[tuple[str, str], bool]
    """(instance, digest of the diff) -> resolved."""
    alike: Mapping[tuple[str, object], frozenset[bool]] = field(default_factory=dict)
    """(instance, what the diff changes, by one of `_LIKENESSES`) -> the verdicts on such diffs."""

    @property
    def instances(self) -> frozenset[str]:
        """The instances that have a grade."""
        return frozenset(name for name, _ in self.exact)

    def of(self, instance_id: str, matrix: Matrix) -> dict[int, bool]:
        """The verdicts by candidate number, for the candidates that have one.

        A candidate is found by its diff; otherwise by what its diff changes, if no
        other candidate changes the same and all grades of that change agree.
        """
        found: dict[int, bool] = {}
        for candidate in matrix.candidates:
            diff = candidate.patch.diff
            for digest in (digest_of(diff), digest_of(diff.rstrip("\n"))):
                if (instance_id, digest) in self.exact:
                    found[candidate.number] = self.exact[instance_id, digest]
        for likeness in _LIKENESSES:
            changes = {c.number: likeness(c.patch.diff) for c in matrix.candidates}
            counted = Counter(changes.values())
            for number, change in changes.items():
                said = self.alike.get((instance_id, change), frozenset())
                if number not in found and change and len(said) == counted[change] == 1:
                    found[number] = next(iter(said))
        return found


def read_grades(*paths: Path) -> Grades:
    """Read JSON Lines with `instance_id`, a patch or a digest, and `resolved`.

    A patch is in `model_patch`, `patch`, `fix_patch` or `diff`; a digest (the column `diff`
    of the view `candidates`) is in `candidate` or `digest`. `resolved_here` takes
    precedence over `resolved`. Lines with an empty patch are left out.

    Raises:
        UsageError: a file cannot be read or is malformed; one patch has two different grades.
    """
    exact: dict[tuple[str, str], bool] = {}
    alike: defaultdict[tuple[str, object], set[bool]] = defaultdict(set)
    for record in chain.from_iterable(map(_records, paths)):
        name, resolved = instance_of(record), _resolved(record)
        patch, digests = _patch_and_digests(record)
        if patch is not None:
            if not patch.strip():
                continue
            digests = [digest_of(patch.rstrip("\n"))]
            for likeness in _LIKENESSES:
                alike[name, likeness(patch)].add(resolved)
        for digest in digests:
            if exact.setdefault((name, digest), resolved) != resolved:
                raise record.error(f"{name}: this patch has two different grades")
    return Grades(exact, {key: frozenset(said) for key, said in alike.items()})


def _records(path: Path) -> list[Record]:
    content = read_json(path)
    return content if isinstance(content, list) else [Record(f"{path}, row 1", content)]


def _patch_and_digests(record: Record) -> tuple[str | None, list[str]]:
    for column in _PATCHES:
        patch = record.text(column)
        if patch is not None:
            return patch, []
    for column in _DIGESTS:
        digest = record.text(column)
        if digest:
            return None, [digest]
    raise record.error(
        "has neither a patch nor a candidate's digest",
        hint=f"Give one of {', '.join((*_PATCHES, *_DIGESTS))}.",
    )


def _resolved(record: Record) -> bool:
    for column in _VERDICTS:
        value = record.values.get(column)
        if isinstance(value, bool):
            return value
        if value is not None:
            raise record.error(f"{column} must be true or false, not {kind_of(value)}")
    raise record.error("lacks resolved", hint="Grades are lines with resolved: true or false.")
