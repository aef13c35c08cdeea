"""Distinct candidates and distinct tests, and where each came from."""

from __future__ import annotations

import enum
import functools
import hashlib
import warnings
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING

from selection.flags import flags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.patches.patch import FileChange, Patch
    from sandbox.protocol import Script
    from selection.flags.flag import Flag


_LARGEST_COMPILED = 1 << 20
"""Bytes of the largest Python file that is compiled; it takes about two seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One patch as it arrives, before equal patches are merged."""

    patch: Patch
    sample: int | None = None
    """The sample that wrote it; None: it came from outside."""
    source: str = ""
    """The system that a candidate from outside came from."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patch in the race, with all samples and systems that wrote it."""

    number: int
    """Counted from 1 in the order of first appearance."""
    patch: Patch
    samples: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def support(self) -> int:
        """How many samples and systems wrote this patch."""
        return len(self.samples) + len(self.sources)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What in the patch could buy votes; see `selection.flags`."""
        return flags_of(self.patch.diff)

    @property
    def size(self) -> int:
        """The length of the diff in characters, which decides which patch is shorter."""
        return len(self.patch.diff)


class TestKind(enum.StrEnum):
    """Where a test comes from."""

    __test__ = False  # not for pytest

    GENERATED = "generated"
    """A testing trajectory wrote it: it says whether the issue is fixed."""
    REGRESSION = "regression"
    """A repository test file: it says whether what worked before still works."""


@dataclass(frozen=True, slots=True)
class Test:
    """A distinct test, with the samples whose last script it is."""

    __test__ = False  # not for pytest

    number: int
    script: Script
    samples: tuple[int, ...] = ()
    kind: TestKind = TestKind.GENERATED
    label: str = ""
    """The file that a repository test runs; "" for a generated test."""
    flaky: bool = False
    """Its verdict on the same code changed from one run to the next: it has no vote."""
    sources: tuple[str, ...] = ()
    """The stored runs that it was taken from, if it is not from a sample of this run."""


def merge_candidates(entries: Iterable[Entry]) -> tuple[Candidate, ...]:
    """The distinct candidates. Equal patches become one, with the shortest of their diffs.

    Two patches are equal if they result in the same files. Python files are compared by
    what they compile to (comments and layout do not count), other files without white
    space at line ends. Empty patches are not candidates.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.patch:
            groups.setdefault(meaning(entry.patch), []).append(entry)
    return tuple(_candidate(number, group) for number, group in enumerate(groups.values(), 1))


def merge_tests(
    scripts: Iterable[tuple[int, Script]], outside: Iterable[tuple[str, Script]] = ()
) -> tuple[Test, ...]:
    """The distinct tests of (sample, script) pairs, then of (source, script) pairs from outside."""
    samples: dict[Script, list[int]] = {}
    sources: dict[Script, list[str]] = {}
    for sample, script in scripts:
        samples.setdefault(script, []).append(sample)
    for source, script in outside:
        sources.setdefault(script, []).append(source)
    return tuple(
        Test(
            number,
            script,
            tuple(samples.get(script, ())),
            sources=tuple(sources.get(script, ())),
        )
        for number, script in enumerate(dict.fromkeys((*samples, *sources)), 1)
    )


@functools.lru_cache(maxsize=256)
def meaning(patch: Patch) -> str:
    """A digest that is the same for patches with the same effect."""
    sha = hashlib.sha256()
    for change in patch.files:
        sha.update(repr((change.path, change.executable, _content(change))).encode())
    return sha.hexdigest()


def _content(change: FileChange) -> object:
    if change.content is None:
        return None
    if change.path.endswith((".py", ".pyi")):
        try:
            if len(change.content) <= _LARGEST_COMPILED:
                return _code(change.content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # not Python of this version, so it is compared as text
    return [line.rstrip() for line in change.content.rstrip().split(b"\n")]


def _code(source: bytes) -> object:
    """What Python compiles `source` to, without positions in the file.

    Compiling is done in C: comparing printed syntax trees took a second for a
    file of 450 KB.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = compile(source, "", "exec", dont_inherit=True, optimize=0)
    return _constant(compiled)


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return (
            *(value.co_name, value.co_code, value.co_names, value.co_varnames),
            *(value.co_freevars, value.co_cellvars, value.co_flags, value.co_exceptiontable),
            *(value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount),
            [_constant(constant) for constant in value.co_consts],
        )
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    if isinstance(value, frozenset):
        return sorted(repr(_constant(each)) for each in value)
    if type(value) is int:
        return "int", hex(value)  # Python refuses to write very long ones in decimal
    return value


def _candidate(number: int, group: Sequence[Entry]) -> Candidate:
    shortest = min(group, key=lambda entry: len(entry.patch.diff))
    return Candidate(
        number,
        shortest.patch,
        tuple(entry.sample for entry in group if entry.sample is not None),
        tuple(entry.source for entry in group if entry.sample is None),
    )
