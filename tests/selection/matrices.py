"""Matrices of letters: `matrix("ff", "pf", "pp")` is two tests on the unedited code and two."""

from __future__ import annotations

from data.patches.patch import FileChange, Patch
from sandbox.protocol import Script
from selection.candidates import Candidate, Test, TestKind
from selection.votes import UNEDITED_ROW, Matrix, Verdict

KINDS = {"g": TestKind.GENERATED, "r": TestKind.REGRESSION}
SAID = {"p": Verdict.PASS, "f": Verdict.FAIL, "e": Verdict.ERROR}


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
    verdicts = {
        (candidate, test): SAID[letter]
        for candidate, row in enumerate((unedited, *rows), UNEDITED_ROW)
        for test, letter in enumerate(row, 1)
    }
    return Matrix(tuple(candidates), tests, verdicts, broken or {})
