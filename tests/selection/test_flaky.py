"""Which cells are run again, and what follows."""

import pytest

from data.patches.patch import UNEDITED
from sandbox.protocol import Ending, Execution
from selection.flaky import gave_another, mark_flaky, repeated_cells
from selection.matrix import Cell, verdict
from selection.votes import rank
from tests.selection.matrices import matrix


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        (matrix("f", "p", "p"), (0, 1)),
        (matrix("f", "f", "p"), (0, 2)),
        (matrix("f", "p", "p", support=(1, 3)), (0, 2)),  # what more wrote
        (matrix("e", "p", "f"), (0, 1)),
        (matrix("f", "f", "e"), ()),  # nobody passes it
        (matrix("p", "p", "f"), ()),  # it does not count anyway
        (matrix("p", "p", "f", kinds="r"), (0, 1)),  # of the repository's own it does
        (matrix("p", "f", "f", kinds="r"), ()),
        (matrix("f", "p"), ()),  # nothing to choose between
    ],
)
def test_what_is_run_again(given, rows):
    assert repeated_cells(given, given.tests[0]) == rows


def test_a_flaky_test_loses_its_vote():
    given = matrix("ff", "pf", "fp", sizes=(20, 10))
    assert [s.votes for s in rank(given, "discriminating")] == [1, 1]
    marked = mark_flaky(given, {2})
    assert [test.flaky for test in marked.tests] == [False, True]
    assert [s.candidate.number for s in rank(marked, "discriminating")] == [1, 2]


def ran(ending: Ending, code: int | None) -> Execution:
    return Execution(ending, code, "", 0, 1.0)


@pytest.mark.parametrize(
    ("first", "again", "another"),
    [
        (ran(Ending.EXITED, 0), ran(Ending.EXITED, 0), False),
        (ran(Ending.EXITED, 0), ran(Ending.EXITED, 2), True),
        (ran(Ending.EXITED, 0), ran(Ending.TIMEOUT, None), False),
        (ran(Ending.EXITED, 0), ran(Ending.OUT_OF_MEMORY, None), True),
        (ran(Ending.TIMEOUT, None), ran(Ending.EXITED, 0), True),  # it was no failure
        (ran(Ending.TIMEOUT, None), ran(Ending.TIMEOUT, None), False),
    ],
)
def test_a_repeat_that_timed_out_says_nothing(first, again, another):
    cell = Cell(verdict(first), first, UNEDITED)
    assert gave_another(cell, again) is another
