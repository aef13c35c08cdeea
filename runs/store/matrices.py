"""The matrix of an instance, rebuilt from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import StoreError
from data.patches.patch import Patch
from sandbox.protocol import Script
from selection.candidates import Candidate, Test, TestKind
from selection.votes import UNEDITED_ROW, Matrix, Verdict

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
    matrix = Matrix(
        tuple(_candidate(reader, row) for row in candidates),
        read_tests(reader, instance),
        {(vote["candidate"], vote["test"]): Verdict(vote["verdict"]) for vote in votes},
        {(v["candidate"], v["test"]): v["broken"] for v in votes if v["broken"] is not None},
    )
    rows = [UNEDITED_ROW, *(candidate.number for candidate in matrix.candidates)]
    for test in matrix.tests:
        if any((row, test.number) not in matrix.verdicts for row in rows):
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


def _candidate(reader: Reader, row: Row) -> Candidate:
    samples, sources = _numbers(row), tuple(row["sources"].split(", "))
    outside = row["support"] - len(samples)
    if len(sources) != outside:  # names with spaces in them cannot be told apart any more
        sources = (row["sources"],) * outside
    return Candidate(row["candidate"], Patch(reader.text(row["diff"]), row["diff"]), samples, sources)


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
