"""Votes are pure functions over the matrix: tables in, orders out."""

import pytest

from data.patch import FileChange, Patch
from sandbox.protocol import Ending, Execution, Script
from selection.candidates import Candidate, Test
from selection.votes import (
    UNEDITED_ROW,
    Matrix,
    Verdict,
    agreement,
    discriminating_votes,
    paper_votes,
    rank,
    tied,
    verdict,
)

SAID = {"p": Verdict.PASS, "f": Verdict.FAIL, "e": Verdict.ERROR}


def matrix(unedited: str, *rows: str, support: tuple[int, ...] = (), sizes: tuple[int, ...] = ()):
    """`matrix("ff", "pf", "pp")`: two tests, what they say of the unedited code and of each."""
    candidates = tuple(
        Candidate(
            number,
            Patch("x" * (sizes[number - 1] if sizes else 10), (FileChange(f"{number}", b""),)),
            tuple(range(support[number - 1] if support else 1)),
        )
        for number in range(1, len(rows) + 1)
    )
    tests = tuple(Test(n, Script(f"test {n}")) for n in range(1, len(unedited) + 1))
    verdicts = {
        (candidate, test): SAID[letter]
        for candidate, row in enumerate((unedited, *rows), UNEDITED_ROW)
        for test, letter in enumerate(row, 1)
    }
    return Matrix(candidates, tests, verdicts)


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        (Ending.EXITED, 0, Verdict.PASS),
        (Ending.EXITED, 2, Verdict.FAIL),
        (Ending.EXITED, 1, Verdict.ERROR),
        (Ending.EXITED, 139, Verdict.ERROR),
        (Ending.TIMEOUT, None, Verdict.ERROR),
        (Ending.OUT_OF_MEMORY, None, Verdict.ERROR),
        (Ending.OUTPUT_EXCEEDED, None, Verdict.ERROR),
    ],
)
def test_a_verdict_follows_the_exit_code(ending, code, said):
    assert verdict(Execution(ending, code, "", 0, 0.1)) is said


@pytest.mark.parametrize(
    ("unedited", "rows", "paper", "discriminating"),
    [
        ("ff", ("pf", "pp"), [1, 2], [1, 2]),
        ("pf", ("pf", "fp"), [1, 1], [0, 1]),  # a test that passes before says nothing
        ("ef", ("pe", "fp"), [1, 1], [1, 1]),  # one that errs before and passes after does
        ("pp", ("pp", "ff"), [2, 0], [0, 0]),
        ("", ("", ""), [0, 0], [0, 0]),
    ],
)
def test_votes(unedited, rows, paper, discriminating):
    given = matrix(unedited, *rows)
    assert list(paper_votes(given).values()) == paper
    assert list(discriminating_votes(given).values()) == discriminating


def test_agreement_adds_up_those_who_behave_alike():
    given = matrix("ff", "pp", "pf", "pp", support=(1, 4, 2))
    assert agreement(given) == {1: 3, 2: 4, 3: 3}


@pytest.mark.parametrize(
    ("given", "order"),
    [
        (matrix("ff", "pf", "pp"), [2, 1]),
        (matrix("f", "p", "p", "f", support=(1, 1, 5)), [1, 2, 3]),  # votes before support
        (matrix("ff", "pf", "fp", "fp"), [2, 3, 1]),  # equal votes: the behaviour more share
        (matrix("f", "p", "p", support=(1, 2)), [2, 1]),  # then the patch more wrote
        (matrix("f", "p", "p", sizes=(20, 10)), [2, 1]),  # then the shorter
        (matrix("f", "p", "p"), [1, 2]),  # then the earlier
        (matrix("pf", "pf", "fp"), [2, 1]),  # the test that passes before is left out
    ],
)
def test_rank(given, order):
    assert [s.candidate.number for s in rank(given, "discriminating")] == order


def test_the_papers_rule_counts_tests_that_pass_before():
    given = matrix("ppf", "ppf", "ffp")
    assert [s.candidate.number for s in rank(given, "paper")] == [1, 2]
    assert [s.candidate.number for s in rank(given, "discriminating")] == [2, 1]


def test_tied_counts_the_leaders():
    assert tied(rank(matrix("f", "p", "p", "f"), "paper")) == 2
    assert tied(rank(matrix("f"), "paper")) == 0
