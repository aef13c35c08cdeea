"""Reading the store: typed records, ordered, for reports and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.unforeseen import named
from data.errors import StoreError, UsageError
from runs.store import rows
from runs.store.blobs import get_text
from runs.store.database import open_reading, shown_url, translated
from runs.store.names import missing
from runs.store.places import database_url
from runs.store.story import Story
from runs.store.tables import GradeTable, InstanceTable, RunTable, SourceTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from runs.store.records import GradeRecord, InstanceRecord, RunRecord

T = TypeVar("T")


class Reader:
    """A database for reading. Every method raises `StoreError` if the database fails."""

    def __init__(self, database: str | Path | None = None) -> None:
        """`database`: a file or a SQLAlchemy URL; None: $TROOP_DB, or that of the data folder."""
        self.url = database_url(database)
        self._engine = open_reading(self.url)
        self._keeps = False
        """Whether connections are kept between readings. Without `with`, nobody closes them."""

    def __enter__(self) -> Self:
        self._keeps = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keeps = False
        self._engine.dispose()

    @property
    def place(self) -> str:
        """The database as shown to people."""
        return shown_url(self.url)

    def runs(self) -> tuple[RunRecord, ...]:
        """All runs, the latest last."""
        return self.read(rows.runs)

    def run(self, name: str | None) -> RunRecord:
        """A run by name; None: the latest.

        Raises:
            UsageError: there is no such run.
        """
        named = () if name is None else (RunTable.name == name,)
        found = self.read(lambda session: rows.runs(session, *named))
        if found:
            return found[-1]
        runs = [run.name for run in self.runs()]
        if not runs or name is None:
            raise UsageError("The database holds no run yet.", hint="Begin with: troop demo")
        raise missing(runs, name, "run")

    def instances(self, run: str) -> tuple[InstanceRecord, ...]:
        """The instances of a run, by their ids."""
        return self.read(lambda session: rows.instances(session, RunTable.name == run))

    def instance(self, run: str, instance_id: str | None) -> InstanceRecord:
        """An instance of a run; None: its only one.

        Raises:
            UsageError: there is no such instance, or it is not the only one.
        """
        named = () if instance_id is None else (InstanceTable.instance_id == instance_id,)
        found = self.read(lambda session: rows.instances(session, RunTable.name == run, *named))
        if len(found) == 1:
            return found[0]
        if instance_id is not None:
            there = [one.instance_id for one in self.instances(run)]
            raise missing(there, instance_id, f"instance in run {run}")
        raise UsageError(
            f"The run {run} has {len(found)} instances. Name one.",
            hint=f"List them: troop show {run}",
        )

    def story(self, instance: InstanceRecord) -> Story:
        """All that happened to an instance. Each part is read when it is asked for."""
        return Story(self, instance)

    def systems(self, run: str) -> tuple[str, ...]:
        """The outside systems whose candidates took part in a run."""
        query = (
            sa.select(SourceTable.name)
            .distinct()
            .join(InstanceTable, InstanceTable.id == SourceTable.instance_id)
            .join(RunTable, RunTable.id == InstanceTable.run_id)
            .where(RunTable.name == run, SourceTable.kind == "candidate")
        )
        return self.read(lambda session: tuple(sorted(session.scalars(query))))

    def grades(
        self, run: str | None = None, *, grader: str | None = None
    ) -> tuple[GradeRecord, ...]:
        """Grades, each once: all, or those of a run's candidates, or those of a grader."""
        where = [] if run is None else [rows.on_run(run)]
        if grader is not None:
            where.append(GradeTable.grader == grader)
        return self.read(lambda session: rows.grades(session, *where))

    def text(self, digest: str | None) -> str:
        """A stored text; "" for none."""
        if not digest:
            return ""
        return self.read(lambda session: get_text(session.connection(), digest))

    def read(self, work: Callable[[Session], T]) -> T:
        """Read in one transaction."""
        try:
            with translated(self.url), Session(self._engine) as session:
                return work(session)
        except (LookupError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self.place} holds what Troop did not write: {named(error)}.",
                hint="The file is damaged, or another program changed it: give another with --db.",
            ) from error
        finally:
            if not self._keeps:
                self._engine.dispose()
