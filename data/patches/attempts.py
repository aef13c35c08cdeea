"""The ways to read another tool's diff when its code is available."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from data.patches.parts import parts_of
from data.patches.repairs import AS_NAMED, CRLF, FENCES, NEWLINE, RECOUNT
from data.patches.repairs_names import seems_prefixed
from data.patches.repairs_text import headers_end_in_cr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from data.patches.repairs import DiffRepair


@dataclass(frozen=True, slots=True)
class Named:
    """The paths that a diff names, as they are written, without /dev/null."""

    prefixed: tuple[str, ...]
    """From `diff --git`, `---` and `+++`: normally with a/ or b/ before them."""
    bare: tuple[str, ...]
    """From `rename` and `copy`: never with a prefix."""

    def candidates(self) -> list[str]:
        """List every path in the repository that the diff may mean."""
        forms = [form for path in self.prefixed for form in (path.partition("/")[2], path)]
        return list(dict.fromkeys([*forms, *self.bare]))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to read a diff."""

    text: str
    notes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """Options for `git apply`."""
    bases: Mapping[str, bytes] = field(default_factory=dict)
    """By path, files whose CRLF are read as LF. Their results get CRLF again."""

    def after(self, repair: DiffRepair) -> Attempt:
        """The attempt with one more repair."""
        text, note = repair.repair(self.text)
        notes = (*self.notes, note) if note else self.notes
        options = (*self.options, repair.option) if repair.option else self.options
        return replace(self, text=text, notes=notes, options=options)


def named_paths(diff: str) -> Named:
    """The paths in the headers of a diff."""
    sections = parts_of(diff).sections
    prefixed = dict.fromkeys(name for part in sections for name in part.prefixed)
    bare = dict.fromkeys(name for part in sections for name in part.bare)
    return Named(tuple(prefixed), tuple(bare))


def attempts(diff: str, named: Named, bases: Mapping[str, bytes]) -> Iterator[Attempt]:
    """Yield the ways to read a diff, the most literal first.

    `bases`: the contents of the files in the codebase that it names.
    """
    forms = _forms(diff, bases)
    recounted = [form.after(RECOUNT) for form in forms]
    for stripped in _stripped(named, bases):
        for form in (*forms, *recounted):
            yield form if stripped else form.after(AS_NAMED)


def _forms(diff: str, bases: Mapping[str, bytes]) -> list[Attempt]:
    """List the texts to try, without options."""
    # Taken literally, carriage returns in headers would become part of file names.
    literal = not headers_end_in_cr(diff)
    raw = Attempt(diff)
    clean = raw.after(FENCES).after(NEWLINE)
    forms = [raw] if literal else []
    if literal and clean.text != diff:
        forms.append(clean)
    windows = {
        path: content.replace(b"\r\n", b"\n")
        for path, content in bases.items()
        if 0 < content.count(b"\n") == content.count(b"\r\n")
    }
    unix = clean.after(CRLF)
    if windows:
        notes = (*unix.notes, "kept the CRLF line endings of the files")
        forms.append(replace(unix, notes=notes, bases=windows))
    elif unix.text != clean.text:
        forms.append(unix)
    return forms


def _stripped(named: Named, bases: Mapping[str, bytes]) -> list[bool]:
    """Whether paths lose their first component; the likeliest answer first."""
    as_is = any(path in bases for path in named.prefixed)
    stripped = any(path.partition("/")[2] in bases for path in named.prefixed)
    if all(map(seems_prefixed, named.prefixed)):
        return [True, False] if as_is else [True]
    if as_is or not stripped:
        return [False, True] if stripped else [False]
    return [True]
