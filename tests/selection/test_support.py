"""Whether tests bear out a choice: tables worked by hand."""

from __future__ import annotations

import pytest

from selection.support import Support, weigh
from tests.selection.matrices import matrix

S = Support


@pytest.mark.parametrize(
    ("given", "support"),
    [
        (matrix("f", "p"), S.SUPPORTED),
        (matrix("ff", "pf", "pf"), S.SUPPORTED),
        (matrix("p", "p"), S.UNSUPPORTED),  # it passes before the edit
        (matrix("e", "p"), S.UNSUPPORTED),  # before the edit it has no verdict
        (matrix("f", "e"), S.UNSUPPORTED),
        (matrix("f", "f"), S.UNSUPPORTED),
        (matrix("f", "p", flaky="1"), S.UNSUPPORTED),
        (matrix("p", "p", kinds="r"), S.UNSUPPORTED),  # a repository test passes before, too
        (matrix("", ""), S.UNSUPPORTED),  # tests were asked for, and none came out
        (matrix("ff", "pf", "pp"), S.CONTRADICTED),  # the other passes one more
        (matrix("fp", "pf", "pp", kinds="gr"), S.CONTRADICTED),  # and breaks no repository test
        (matrix("fe", "pf", "pp"), S.CONTRADICTED),  # a vote without a verdict before counts, too
        (matrix("ff", "pf", "pp", flaky="2"), S.SUPPORTED),
        (matrix("ff", "pf", "pp", authors=((3,), (2,))), S.SUPPORTED),  # the other's own, alone
        (matrix("ff", "pf", "pf", authors=((3,), (1,))), S.CONTRADICTED),  # its own still fails
        (matrix("ff", "pe", "pe", authors=((3,), (1,))), S.SUPPORTED),
        # One of two samples that wrote it has a test that passes.
        (
            matrix("ff", "pf", "pf", writers=((1, 2), (3,)), authors=((1,), (2,))),
            S.SUPPORTED,
        ),
    ],
)
def test_what_the_first_candidate_is(given, support):
    assert weigh(given, 1).support is support


@pytest.mark.parametrize(
    ("trial", "support"),
    [
        ({1: 2, 2: 0}, S.CONTRADICTED),
        ({1: 2, 2: 2}, S.SUPPORTED),
        ({1: 0, 2: 2}, S.SUPPORTED),
        ({1: 1, 2: 0}, S.SUPPORTED),  # it could not tell
        ({1: None, 2: 0}, S.SUPPORTED),
        ({}, S.SUPPORTED),
    ],
)
def test_the_last_script_of_the_selection_trajectory_speaks_against_a_choice(trial, support):
    evidence = weigh(matrix("f", "p", "p"), 1, trial=trial)
    assert evidence.support is support
    assert evidence.better == ((2,) if support is S.CONTRADICTED else ())


def test_nothing_is_expected_of_tests_that_nobody_asked_for():
    assert weigh(matrix("", "", ""), 1, asked=False).support is S.UNTESTED
    # The repository's own tests speak all the same.
    given = matrix("p", "f", "p", kinds="r")
    assert weigh(given, 1, asked=False).support is S.CONTRADICTED
    assert weigh(given, 2, asked=False).support is S.UNTESTED
    # Tests from elsewhere are held against it.
    assert weigh(matrix("f", "f"), 1, asked=False).support is S.UNSUPPORTED


def test_the_evidence_has_the_figures():
    found = weigh(matrix("ffpe", "ppff", "pppp", "pppp"), 1)
    assert (found.generated, found.failing, found.passed) == (4, 2, 2)
    assert (found.votes, found.ahead) == (2, ((2, 3), (3, 3)))
