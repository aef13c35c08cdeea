"""What a judge is shown when there are more candidates than one prompt holds."""

from data.patches.patch import FileChange, Patch
from selection.candidates import Candidate
from selection.selectors.judge import SHOWN_CHARS, shown_to_judge


def candidate(number, size=10, support=1):
    patch = Patch.of(f"{number}".rjust(size, "x"), (FileChange(f"{number}", b""),))
    return Candidate(number, patch, tuple(range(support)))


def shown(*candidates):
    return {c.number for c in shown_to_judge(candidates)}


def test_those_that_fewer_wrote_and_the_longer_ones_are_left_out():
    many = [candidate(n, size=100 - n) for n in range(1, 31)]
    assert shown(*many) == set(range(5, 31))  # as many as letters
    popular = candidate(99, size=1000, support=2)
    assert shown(*many, popular) == {*range(6, 31), 99}


def test_what_does_not_fit_makes_room_for_what_does():
    big, small = candidate(1, size=SHOWN_CHARS), candidate(2)
    assert shown(big, small) == {2}
    assert shown(big) == {1}
    assert shown(candidate(1, size=SHOWN_CHARS + 1), small) == {2}


def test_the_order_does_not_depend_on_numbers_or_writers():
    one, two = candidate(1), candidate(2)
    renumbered = [Candidate(2, one.patch, (1, 2, 3)), Candidate(1, two.patch, (4,))]
    order = [c.patch for c in shown_to_judge([one, two])]
    assert [c.patch for c in shown_to_judge(renumbered)] == order
