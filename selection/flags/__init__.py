"""What a patch adds that could buy votes: ways to end a process, to patch test tools, to lie.

A script's end is proven (`sandbox.starting`), but code that runs in the script's process can
still change what it sees. So the lines that a patch adds are looked at. A flagged candidate has
no votes until the selection trajectory, which is shown the lines, chooses it.

A line is looked at with its names in full (`names.py`), and the rules of each language are one
file each.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data.languages.test_files import is_test
from selection.flags import node, python, ruby
from selection.flags.files import changes_tests, hides, is_hook
from selection.flags.flag import Flag, FlagKind
from selection.flags.names import Names
from selection.flags.reading import changed_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selection.flags.line_rule import LineRule
    from selection.flags.reading import Changed

_MOST = 20
"""How many flags of a patch are kept."""
_LOOKED_AT = 1_000_000
"""How many characters of code, around the edits too, are looked at."""
_SHOWN = 200
"""How many characters of a line are kept."""
_REMARKS = ("#", "//", '"""', "'''", '"', "'")
_QUOTES = frozenset("'\"`*")
_RULES = {
    suffix: language.RULES for language in (python, node, ruby) for suffix in language.SUFFIXES
}


@functools.lru_cache(maxsize=4096)
def flags_of(diff: str) -> tuple[Flag, ...]:
    """What the lines that a diff adds could do to tests. Pure, and quick for any text.

    A flag says that somebody has to look, not that somebody cheats.
    """
    return tuple(islice(dict.fromkeys(_all(diff)), _MOST))


def _all(diff: str) -> Iterator[Flag]:
    left = _LOOKED_AT
    for file in changed_files(diff):
        if file.is_new and hides(file.path):
            yield Flag(FlagKind.SHADOW, file.path, 0)
        if is_hook(file.path):
            first = next((line for line in file.lines if line.added and line.text.strip()), None)
            text = first.text.strip()[:_SHOWN] if first else ""
            yield Flag(FlagKind.HOOK, file.path, first.number if first else 0, text)
        shown, left = _within(file, left)
        yield from _of_lines(shown, _rules(file.path))
        if len(shown.lines) < len(file.lines):
            yield Flag(FlagKind.LARGE, file.path, file.lines[len(shown.lines)].number)


def _within(file: Changed, left: int) -> tuple[Changed, int]:
    """The beginning of a file that has at most `left` characters, and how many are left then."""
    if not _rules(file.path):
        return file, left
    for index, line in enumerate(file.lines):
        left -= len(line.text) + 1
        if left < 0:
            return replace(file, lines=file.lines[:index]), 0
    return file, left


def _rules(path: str) -> tuple[LineRule, ...]:
    rules = _RULES.get(PurePosixPath(path).suffix, ())
    return rules + python.OUTSIDE_TESTS if rules is python.RULES and not is_test(path) else rules


def _of_lines(file: Changed, rules: tuple[LineRule, ...]) -> Iterator[Flag]:
    names, before, head = Names(), "", ""
    for line in file.lines:
        if line.added and changes_tests(file.path, line.text):
            yield Flag(FlagKind.HOOK, file.path, line.number, line.text.strip()[:_SHOWN])
        if not rules:
            continue
        text = names.in_full(f"{before}\n{line.text}" if before else line.text)
        for rule in rules if line.added and not _is_comment(line.text) else ():
            seen = f"{head} {text.strip()}" if rule.kind is FlagKind.EQUAL else text
            if rule.shape.search(seen):
                yield Flag(rule.kind, file.path, line.number, line.text.strip()[:_SHOWN])
        before = line.text if line.text.rstrip().endswith(("\\", ".")) else ""
        head = _head(head, line.text)


def _is_comment(text: str) -> bool:
    """Whether a line is a comment wherever it is, also if a text over several lines ends in it."""
    return text.lstrip().startswith(("#", "//")) and not _QUOTES.intersection(text)


def _head(head: str, text: str) -> str:
    """The beginning of a method whose first statement is still to come."""
    stripped = text.strip()
    if stripped.startswith("def "):
        return "" if "return" in stripped else stripped
    return head if not stripped or stripped.startswith(_REMARKS) else ""
