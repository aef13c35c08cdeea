"""All that happened to one instance, loaded once for every form it is written in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.journal import Kind
from runs.store.reading import context_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.store.reading import Conversation, Reader, Row

ORDER = tuple(Kind)
"""The order of work."""


@dataclass(frozen=True, slots=True)
class Story:
    """One instance: rows of the views, with the texts that belong to them."""

    run: Row
    instance: Row
    problem: str
    patch: str
    """As it is handed out: "" where the instance ended without one, or has not ended."""
    talks: tuple[Conversation, ...]
    """Relevance and ranking, then each sample's, then what came after them."""
    samples: tuple[Row, ...]
    candidates: tuple[Row, ...]
    tests: tuple[Row, ...]
    votes: tuple[Row, ...]

    @property
    def name(self) -> str:
        """The instance's id."""
        return str(self.instance["instance_id"])

    @property
    def settings(self) -> dict[str, Any]:
        """The run's settings by dotted name, without the files that it was given."""
        config = json.loads(self.run["config"])
        return {name: value for name, value in config.items() if "." in name}

    @property
    def context(self) -> list[str]:
        """The paths of the files that were shown to the model."""
        return context_files(self.instance)

    def of_kind(self, *kinds: Kind) -> list[Conversation]:
        """The trajectories of these kinds, in the order of work."""
        return [talk for talk in self.talks if talk.row["kind"] in kinds]

    def of_sample(self, number: int) -> list[Conversation]:
        """A sample's trajectories."""
        return [talk for talk in self.talks if talk.row["sample"] == number]

    @property
    def numbers(self) -> list[int]:
        """The samples that have a trajectory."""
        return sorted({t.row["sample"] for t in self.talks if t.row["sample"] is not None})

    @property
    def chosen_sample(self) -> int | None:
        """The first sample that wrote the chosen patch; None where none of them did."""
        for row in self.candidates:
            if row["chosen"] and row["samples"]:
                return int(row["samples"].split()[0])
        return None


def load_story(reader: Reader, run: Row, instance: Row, patch: str) -> Story:
    """Load an instance with all its trajectories.

    Raises:
        StoreError: the database failed.
    """
    where = {"run": run["run"], "instance_id": instance["instance_id"]}

    def rows(view: str, *by: str) -> tuple[Row, ...]:
        found = reader.view(view, **where)
        return tuple(sorted(found, key=lambda row: [row[name] for name in by]))

    talks = reader.conversations(where["run"], where["instance_id"])
    return Story(
        run=run,
        instance=instance,
        problem=reader.text(instance["problem"]),
        patch=patch,
        talks=tuple(sorted(talks, key=_place)),
        samples=rows("samples", "sample"),
        candidates=rows("candidates", "place"),
        tests=rows("tests", "test"),
        votes=rows("votes", "candidate", "test"),
    )


def _place(talk: Conversation) -> tuple[bool, int, int, Sequence[object]]:
    """Where a trajectory stands: samples one after the other, numbers as numbers."""
    kind, sample = Kind(talk.row["kind"]), talk.row["sample"] or 0
    parts = re.split(r"(\d+)", talk.key)
    natural = [int(part) if part.isdigit() else part for part in parts]
    return kind in {Kind.MATRIX, Kind.SELECTION}, sample, ORDER.index(kind), natural


def moment(stored: object) -> datetime | None:
    """Return a stored time, which is in UTC and has no zone; None for none."""
    if stored is None:
        return None
    read = stored if isinstance(stored, datetime) else datetime.fromisoformat(str(stored))
    return read.replace(tzinfo=UTC)
