"""The matrix of an instance, rebuilt from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import StoreError
from data.patches.patch import Patch
from sandbox.protocol import Ending, Execution, Script
from selection.candidates import Candidate, Test, TestKind
from selection.matrix import UNEDITED_ROW, Cell, Matrix, Verdict

if TYPE_CHECKING:
    from runs.store.reading import Reader, Row


def read_matrix(reader: Reader, instance: Row) -> Matrix:
    """The candidates, tests and verdicts that an instance ended with.

    Patches have their diff but not their files: enough to select on, not to execute.

    Raises:
        StoreError: the database fails, or lacks a verdict.
    """
    where = {"run": instance["run"], "instance_id": instance["instance_id"]}
    candidates = sorted(reader.view("candidates", **where), key=lambda row: row["candidate"])
    votes = reader.view("votes", **where)
    ran = {row["execution"]: row for row in reader.view("executions", **where)}
    matrix = Matrix(
        instance["instance_id"],
        tuple(_candidate(reader, row) for row in candidates),
        read_tests(reader, instance),
        {(v["candidate"], v["test"]): _cell(reader, v, ran[v["execution"]]) for v in votes},
    )
    rows = [UNEDITED_ROW, *(candidate.number for candidate in matrix.candidates)]
    for test in matrix.tests:
        if any((row, test.number) not in matrix.cells for row in rows):
            raise StoreError(
                f"{instance['instance_id']}: the database lacks a verdict of test {test.number}",
                mend="it is damaged: restore it, or run the instance again",
            )
    return matrix


def read_tests(reader: Reader, instance: Row) -> tuple[Test, ...]:
    """The distinct tests that an instance ended with; none where it has not come to its end."""
    where = {"run": instance["run"], "instance_id": instance["instance_id"]}
    rows = sorted(reader.view("tests", **where), key=lambda row: row["test"])
    return tuple(_test(reader, row) for row in rows)


def _cell(reader: Reader, vote: Row, ran: Row) -> Cell:
    execution = Execution(
        Ending(ran["ending"]),
        ran["exit_code"],
        reader.text(ran["output"]),
        ran["output_bytes"],
        ran["duration_s"],
    )
    diff = reader.text(ran["diff"])
    return Cell(Verdict(vote["verdict"]), execution, Patch(diff, ran["diff"]), vote["broken"])


def _candidate(reader: Reader, row: Row) -> Candidate:
    samples, sources = _numbers(row), tuple(row["sources"].split(", "))
    outside = row["support"] - len(samples)
    if len(sources) != outside:  # names with spaces in them cannot be told apart any more
        sources = (row["sources"],) * outside
    return Candidate(
        row["candidate"], Patch(reader.text(row["diff"]), row["diff"]), samples, sources
    )


def _test(reader: Reader, row: Row) -> Test:
    return Test(
        row["test"],
        Script(reader.text(row["script"]), row["interpreter"], row["suffix"]),
        _numbers(row),
        TestKind(row["kind"]),
        row["label"],
        bool(row["flaky"]),
        tuple(filter(None, row["sources"].split(", "))),
    )


def _numbers(row: Row) -> tuple[int, ...]:
    return tuple(map(int, row["samples"].split()))
