"""Matrices of letters: `matrix("ff", "pf", "pp")` is two tests on the unedited code and two."""

from __future__ import annotations

from data.patches.patch import UNEDITED, FileChange, Patch
from sandbox.protocol import Ending, Execution, Script
from selection.candidates import Candidate, Test, TestKind
from selection.matrix import UNEDITED_ROW, Cell, Matrix, Verdict
from selection.selectors import SELECTORS, needs
from selection.selectors.protocol import Needs, Ranking, SelectorContext
from selection.selectors.pure import Pure
from selection.settings import SelectionSettings

KINDS = {"g": TestKind.GENERATED, "r": TestKind.REGRESSION}
SAID = {"p": Verdict.PASS, "f": Verdict.FAIL, "e": Verdict.ERROR}
CODES = {Verdict.PASS: 0, Verdict.FAIL: 2, Verdict.ERROR: 1}
PURE = tuple(name for name in SELECTORS if needs(name) is Needs.NOTHING)
"""The names of the selectors that ask nobody."""


def matrix(
    unedited: str,
    *rows: str,
    writers: tuple[tuple[int, ...], ...] = (),
    support: tuple[int, ...] = (),
    sizes: tuple[int, ...] = (),
    authors: tuple[tuple[int, ...], ...] = (),
    kinds: str = "",
    flaky: str = "",
    broken: dict[tuple[int, int], int] | None = None,
) -> Matrix:
    """What each test says of the unedited code and of each candidate, one letter a test.

    `writers` are the samples of each candidate (one of its own each by default), or
    `support` how many there were; `authors` are those of each test (nobody by default).
    `kinds` has a letter a test, g for generated (the default) or r for regression; the
    tests whose numbers stand in `flaky` are so; `broken` is the matrix's own.
    """
    candidates = []
    if support:
        writers = tuple(tuple(range(count)) for count in support)
    for number in range(1, len(rows) + 1):
        size = sizes[number - 1] if sizes else 10
        patch = Patch.of(f"{number}".rjust(size, "x"), (FileChange(f"{number}", b""),))
        samples = writers[number - 1] if writers else (number,)
        candidates.append(Candidate(number, patch, samples))
    tests = tuple(
        Test(
            n,
            Script(f"test {n}"),
            authors[n - 1] if authors else (),
            KINDS[kinds[n - 1]] if kinds else TestKind.GENERATED,
            flaky=str(n) in flaky,
        )
        for n in range(1, len(unedited) + 1)
    )
    patches = [UNEDITED, *(c.patch for c in candidates)]
    cells = {
        (candidate, test): cell(
            SAID[letter], patches[candidate], (broken or {}).get((candidate, test))
        )
        for candidate, row in enumerate((unedited, *rows), UNEDITED_ROW)
        for test, letter in enumerate(row, 1)
    }
    return Matrix("i", tuple(candidates), tests, cells)


def cell(said: Verdict, patch: Patch = UNEDITED, broken: int | None = None) -> Cell:
    """A cell with an execution that says so."""
    return Cell(said, Execution(Ending.EXITED, CODES[said], "", 0, 0.1), patch, broken)


def ranked(name: str, given: Matrix, *, seed: int = 0) -> Ranking:
    """What a selector that asks nobody makes of a matrix."""
    selector = SELECTORS[name](SelectorContext(SelectionSettings(), seed=seed))
    assert isinstance(selector, Pure)
    return selector.rank(given)
