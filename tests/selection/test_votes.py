"""Votes are pure functions over the matrix: tables in, orders out."""

import pytest

from sandbox.protocol import Ending, Execution
from selection.matrix import Verdict, verdict
from selection.votes import (
    agreement,
    broken_tests,
    discriminating_votes,
    paper_votes,
    rank,
    regression_votes,
    tied,
    uncounted,
)
from tests.selection.matrices import matrix


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


@pytest.mark.parametrize(
    ("given", "votes", "broken"),
    [
        (matrix("p", "p", "f", kinds="r"), [1, 0], [0, 1]),
        # a file that all break says nothing: it votes for all
        (matrix("p", "f", "f", kinds="r"), [1, 1], [1, 1]),
        # of what all break, it votes for those who break least
        (matrix("p", "f", "f", kinds="r", broken={(1, 1): 1, (2, 1): 4}), [1, 0], [1, 4]),
        # nothing can be told of candidate 2, though the file runs before: worse than 3 broken
        (matrix("p", "f", "e", kinds="r", broken={(1, 1): 3}), [1, 0], [3, 4]),
        (matrix("p", "p", "e", kinds="r"), [1, 0], [0, 1]),
        (matrix("p", "e", "e", kinds="r"), [1, 1], [1, 1]),
        (matrix("pp", "pf", "fp", kinds="rr", broken={(1, 2): 2}), [1, 1], [2, 1]),
        (matrix("p", "p", "f", kinds="r", flaky="1"), [0, 0], [0, 0]),  # a flaky one has no vote
        (matrix("f", "p", "f", kinds="g"), [0, 0], [0, 0]),  # tests of samples are others
        (matrix("", "", ""), [0, 0], [0, 0]),
        (matrix("p", kinds="r"), [], []),
    ],
)
def test_regression_votes(given, votes, broken):
    assert list(regression_votes(given).values()) == votes
    assert list(broken_tests(given).values()) == broken


def test_regression_tests_are_no_votes_on_the_issue():
    given = matrix("fp", "pp", "pf", kinds="gr")
    assert list(paper_votes(given).values()) == [1, 1]
    assert list(discriminating_votes(given).values()) == [1, 1]


def test_a_flaky_test_counts_in_the_papers_rule_only():
    given = matrix("ff", "pp", "fp", flaky="1")
    assert list(paper_votes(given).values()) == [2, 1]
    assert list(discriminating_votes(given).values()) == [1, 1]
    assert agreement(given) == {1: 2, 2: 2}


@pytest.mark.parametrize(
    ("given", "regression", "first"),
    [
        # equal but for a broken file
        (matrix("fp", "pf", "pp", kinds="gr"), [2, 1], [2, 1]),
        # a vote against a broken file: a tie by votes, not by the filter; then the earlier
        (matrix("fp", "pf", "fp", kinds="gr"), [1, 2], [2, 1]),
        # two votes outweigh a broken file, but not by the filter
        (matrix("ffp", "ppf", "ffp", kinds="ggr"), [1, 2], [2, 1]),
        # the same file broken by both, by one of them more
        (
            matrix("fp", "pf", "pf", kinds="gr", broken={(1, 2): 2, (2, 2): 1}),
            [2, 1],
            [2, 1],
        ),
        # broken by all alike: the votes on the issue decide
        (matrix("fp", "ff", "pf", kinds="gr"), [2, 1], [2, 1]),
    ],
)
def test_rank_with_regression_tests(given, regression, first):
    assert [s.candidate.number for s in rank(given, "regression")] == regression
    assert [s.candidate.number for s in rank(given, "regression-first")] == first


def test_without_regression_tests_the_rules_are_alike():
    given = matrix("ffe", "pfe", "ppf", "fpp", support=(3, 1, 1))
    plain = rank(given, "discriminating")
    assert rank(given, "regression") == rank(given, "regression-first") == plain


def test_the_order_without_regression_tests_does_not_look_at_them():
    given = matrix("fpp", "pff", "ppp", "ppp", kinds="grr", sizes=(10, 20, 30))
    assert [s.candidate.number for s in rank(given, "discriminating")] == [1, 2, 3]
    assert [s.candidate.number for s in rank(given, "paper")] == [1, 2, 3]
    assert [s.candidate.number for s in rank(given, "regression")] == [2, 3, 1]


def test_leaders_that_break_different_numbers_are_not_tied():
    given = matrix("fp", "pf", "pp", kinds="gr")
    assert tied(rank(given, "regression-first")) == 1
    assert tied(rank(given, "discriminating")) == 2


def test_a_pass_that_is_no_vote_is_known():
    given = matrix("ff", "pp", "pf", authors=((3,), (1,)))
    assert uncounted(given) == {(1, 2)}
    assert uncounted(matrix("ff", "pp", "pp", authors=((3,), (1,)))) == frozenset()


def test_tied_counts_the_leaders():
    assert tied(rank(matrix("f", "p", "p", "f"), "paper")) == 2
    assert tied(rank(matrix("f"), "paper")) == 0
