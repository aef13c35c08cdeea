"""Selection methods: tables worked by hand, and what must hold of any matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selection.candidates import TestKind
from selection.matrix import UNEDITED_ROW, Matrix, Verdict
from selection.votes import corroborated
from tests.selection.matrices import PURE, SAID, cell, matrix, ranked

if TYPE_CHECKING:
    from random import Random

    from selection.candidates import Candidate, Test


def order(method: str, given: Matrix, *, seed: int = 0, instance_id: str = "i") -> list[int]:
    found = ranked(method, replace(given, instance_id=instance_id), seed=seed)
    return [candidate.number for candidate in found.candidates]


# Four samples, four candidates, one test each. Test 1 passes before the edit; test 4 is
# sample 4's own and only its candidate passes it.
#            t1 t2 t3 t4   paper  telling  without own
# unedited    p  f  e  f
# candidate 1 p  p  f  f     2       1        1
# candidate 2 p  p  f  f     2       1        1
# candidate 3 f  f  p  f     1       1        0   (t3 is sample 3's own)
# candidate 4 f  f  f  p     1       1        0   (t4 is sample 4's own)
OWN = {"authors": ((1,), (2,), (3,), (4,)), "sizes": (30, 40, 10, 20)}
FOUR = matrix("pfef", "ppff", "ppff", "ffpf", "fffp", **OWN)


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("shortest", FOUR, [3, 4, 1, 2]),
        ("shortest", matrix("", "", "", writers=((1,), (2, 3)), sizes=(10, 10)), [2, 1]),
        # one wrote each; 1 and 2 are seen alike; then the shorter
        ("agreement", FOUR, [1, 2, 3, 4]),
        # three wrote candidate 3, though 1 and 2 are alike
        ("agreement", matrix("f", "p", "p", "f", writers=((1,), (2,), (3, 4, 5))), [3, 1, 2]),
        ("paper", FOUR, [1, 2, 3, 4]),
        # 3 passes two tests; both pass before the edit, and the paper counts them all the same
        ("paper", matrix("ppf", "ffp", "ffp", "ppf"), [3, 1, 2]),
        ("discriminating", matrix("ppf", "ffp", "ffp", "ppf"), [1, 2, 3]),
        ("discriminating", FOUR, [1, 2, 3, 4]),
        # sets {t1 t2}: 2 writers x 2 tests = 4; {t2 t3 t4}: 1 x 3 = 3; {t1}: 3 x 1 = 3.
        # At equal scores more tests go first.
        (
            "codet",
            matrix("ffff", "ppff", "fppp", "pfff", "ppff", writers=((1,), (2,), (3, 4, 5), (6,))),
            [1, 4, 2, 3],
        ),
        # one candidate of three writers that passes one test beats one that passes two
        ("codet", matrix("ff", "pp", "pf", writers=((1,), (2, 3, 4))), [2, 1]),
        ("codet", matrix("ff", "ff", "pf", writers=((1, 2, 3), (4,))), [2, 1]),
    ],
)
def test_worked_by_hand(method, given, expected):
    assert order(method, given) == expected


def test_a_candidates_own_test_never_decides_alone():
    """Both pass the shared test 1; candidate 1 also its own test 2."""
    given = matrix("ff", "pp", "pf", authors=((3,), (1,)), sizes=(20, 10))
    assert order("paper", given)[0] == 1
    assert order("discriminating", given)[0] == 2


@pytest.mark.parametrize(
    ("given", "number", "counts"),
    [
        (matrix("f", "p", "f", authors=((1,),)), 1, False),
        (matrix("f", "p", "p", authors=((1,),)), 1, True),  # another candidate passes it
        (matrix("f", "p", "f", authors=((2,),)), 1, True),  # another sample wrote it
        (matrix("f", "p", "f", authors=((1, 2),)), 1, True),  # so did another
        (matrix("f", "p", "f", authors=((),)), 1, True),  # it came from outside
        (matrix("f", "p", "f", writers=((1, 3), (2,)), authors=((1,),)), 1, True),  # two wrote it
        (matrix("ff", "pp", "ff", authors=((1,), (2,))), 1, True),  # another's test agrees
        (matrix("fp", "pp", "ff", authors=((1,), (2,))), 1, False),  # which tells nothing
        (matrix("ff", "pp", "fp", authors=((1,), (2,))), 1, False),  # which says otherwise
    ],
)
def test_what_corroborates_a_test(given, number, counts):
    (candidate,) = (c for c in given.candidates if c.number == number)
    assert corroborated(given, given.tests[0], candidate) is counts


@pytest.mark.parametrize("method", PURE)
def test_without_candidates_there_is_no_choice(method):
    ranking = ranked(method, matrix("f"))
    assert ranking.candidates == ()
    assert ranking.reason == ""


@pytest.mark.parametrize("method", PURE)
def test_without_tests_there_is_a_choice_and_a_reason(method):
    ranking = ranked(method, matrix("", "", ""))
    assert len(ranking.candidates) == 2
    assert ranking.reason


def test_reasons_have_the_figures():
    ranking = ranked("discriminating", FOUR)
    assert ranking.reason == (
        "it has the votes of 1 of 3 generated tests that do not pass before the edit; 1 other"
        " candidate has as many, and this one is shorter than the next: 30 characters"
    )
    assert ranked("shortest", FOUR).reason == "its diff is the shortest: 10 characters"
    systems = replace(matrix("f", "p", "p").candidates[1], samples=(), sources=("a", "b"))
    given = replace(matrix("f", "p", "p"), candidates=(matrix("f", "p").candidates[0], systems))
    assert ranked("agreement", given).reason == (
        "2 systems wrote it; 1 sample and 2 systems wrote patches with its behaviour"
    )


def test_chance_depends_on_the_seed_and_the_instance_and_repeats():
    given = matrix("", *[""] * 20)
    drawn = order("random", given, seed=7)
    assert drawn == order("random", given, seed=7)
    assert drawn != order("random", given, seed=8)
    assert drawn != order("random", given, seed=7, instance_id="j")
    assert sorted(drawn) == list(range(1, 21))


def test_chance_goes_by_writers():
    """Three of four writers wrote candidate 2: it comes first three times of four."""
    given = matrix("", "", "", writers=((1,), (2, 3, 4)))
    first = Counter(order("random", given, seed=seed)[0] for seed in range(4000))
    assert 0.72 < first[2] / 4000 < 0.78


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """Up to five candidates of different sizes by up to eight samples, up to five tests."""
    candidates, tests = draw(st.integers(1, 5)), draw(st.integers(0, 5))
    row = st.text("pfe", min_size=tests, max_size=tests)
    rows = draw(st.lists(row, min_size=candidates + 1, max_size=candidates + 1))
    owners = draw(st.lists(st.integers(0, candidates - 1), min_size=0, max_size=4))
    writers = [[number] for number in range(1, candidates + 1)]
    for sample, owner in enumerate(owners, candidates + 1):
        writers[owner].append(sample)
    sizes = draw(st.permutations(range(10, 10 + candidates)))
    sample = st.integers(1, candidates + len(owners))
    authors = [tuple(draw(st.lists(sample, max_size=2, unique=True))) for _ in range(tests)]
    kinds = draw(st.text("gr", min_size=tests, max_size=tests))
    rows[0] = "".join(
        "p" if kind == "r" else said for kind, said in zip(kinds, rows[0], strict=True)
    )
    counts = st.dictionaries(
        st.tuples(st.integers(1, candidates), st.integers(1, max(tests, 1))), st.integers(1, 3)
    )
    return matrix(
        *rows,
        writers=tuple(map(tuple, writers)),
        sizes=tuple(sizes),
        authors=tuple(authors),
        kinds=kinds,
        flaky=draw(st.text("12345", max_size=2)),
        broken=draw(counts),
    )


def renumbered(given: Matrix, random: Random) -> tuple[Matrix, dict[int, int]]:
    """The same in another order, under other numbers; and the old number by the new one."""
    candidates, tests = list(given.candidates), list(given.tests)
    random.shuffle(candidates)
    random.shuffle(tests)
    old_candidates = {100 + place: c.number for place, c in enumerate(candidates)}
    old_tests = {500 + place: t.number for place, t in enumerate(tests)}
    rows = old_candidates | {UNEDITED_ROW: UNEDITED_ROW}
    cells = {
        (new, test): given.cells[old, old_test]
        for new, old in rows.items()
        for test, old_test in old_tests.items()
    }
    moved = Matrix(
        given.instance_id,
        tuple(replace(c, number=100 + place) for place, c in enumerate(candidates)),
        tuple(replace(t, number=500 + place) for place, t in enumerate(tests)),
        cells,
    )
    return moved, old_candidates


@pytest.mark.parametrize("method", PURE)
@given(given=matrices(), random=st.randoms(use_true_random=False))
def test_names_and_order_do_not_matter(method: str, given: Matrix, random: Random) -> None:
    moved, old = renumbered(given, random)
    assert [old[number] for number in order(method, moved)] == order(method, given)


def with_test(
    given: Matrix, unedited: str, said: Verdict = Verdict.PASS, kind: TestKind = TestKind.GENERATED
) -> Matrix:
    """One more test, which says the same of every candidate."""
    test: Test = replace(matrix("f").tests[0], number=999, kind=kind)
    more = {(c.number, 999): cell(said) for c in given.candidates}
    before = {(UNEDITED_ROW, 999): cell(SAID[unedited])}
    return replace(given, tests=(*given.tests, test), cells={**given.cells, **more, **before})


@given(given=matrices(), unedited=st.sampled_from("pfe"))
def test_a_test_that_all_pass_changes_nothing(given: Matrix, unedited: str) -> None:
    for method in set(PURE) - {"codet"}:
        assert order(method, with_test(given, unedited)) == order(method, given)


@given(given=matrices(), said=st.sampled_from(Verdict))
def test_a_file_that_all_treat_alike_changes_nothing(given: Matrix, said: Verdict) -> None:
    """What every candidate breaks, or none, says nothing about any of them."""
    for method in PURE:
        more = with_test(given, "p", said, TestKind.REGRESSION)
        assert order(method, more) == order(method, given)


@given(given=matrices())
def test_only_methods_of_that_name_look_at_the_repositorys_own_tests(given: Matrix) -> None:
    without = given.only(TestKind.GENERATED)
    for method in PURE:
        if not method.startswith("regression"):
            assert order(method, without) == order(method, given)


@given(given=matrices())
def test_the_discriminating_choice_has_the_most_votes_that_count(given: Matrix) -> None:
    """Tests that pass before the edit, and a candidate's own that nobody bears out, do not."""
    telling = tuple(t for t in given.tests if given.discriminates(t))
    scores = {
        c.number: row_votes(given, c, telling) - votes_lost(given, c) for c in given.candidates
    }
    assert scores[order("discriminating", given)[0]] == max(scores.values())


def row_votes(given: Matrix, candidate: Candidate, tests: tuple[Test, ...]) -> int:
    return sum(given.cells[candidate.number, t.number].verdict is Verdict.PASS for t in tests)


def votes_lost(given: Matrix, candidate: Candidate) -> int:
    """What the candidate's own test would have given it, said plainly again."""
    lost = 0
    for test in given.tests:
        column = {
            c.number
            for c in given.candidates
            if given.cells[c.number, test.number].verdict == "pass"
        }
        mine = len(candidate.samples) == 1 and test.samples == candidate.samples
        telling = given.cells[UNEDITED_ROW, test.number].verdict != "pass"
        if not mine or not telling or column != {candidate.number}:
            continue
        lost += not any(
            all(
                (given.cells[c.number, other.number].verdict == "pass")
                == (c.number == candidate.number)
                for c in given.candidates
            )
            for other in given.tests
            if other.samples != test.samples
            and given.cells[UNEDITED_ROW, other.number].verdict != "pass"
        )
    return lost
