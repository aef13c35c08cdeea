"""All repairs of damaged diffs, and the repair of a diff whose code is not available.

Each repair is a pure function, text -> (text, note), where the note is "" if there
was nothing to repair. `REPAIRS` lists them in the order in which they are tried.
`data/patches/attempts.py` tries those in `WITH_CODE` one by one, until git applies
the diff to its code. `repair` tries those in `ALONE`: it brings a patch into a form
that `git apply -p1` reads, and says what it did. A diff in good form is unchanged,
byte by byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.patches.flaws import flaw
from data.patches.parts import parts_of
from data.patches.repairs_names import bare_names, checkout_names, spaced_times
from data.patches.repairs_parts import alone, counted_anew, readable, without_links
from data.patches.repairs_text import (
    ended,
    outdented,
    unfenced,
    unix_line_ends,
    unix_throughout,
    without_colours,
    without_padding,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_PATCH = 10_000_000
"""In characters. No repair of an issue is so long, but build folders are."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A patch in good form."""

    text: str
    notes: tuple[str, ...] = ()
    """What was repaired, for people."""


@dataclass(frozen=True, slots=True)
class DiffRepair:
    """One kind of damage that can be undone."""

    name: str
    what: str
    """What it does."""
    when: str
    """When it applies."""
    repair: Callable[[str], tuple[str, str]]
    option: str = ""
    """The option of `git apply` that does it; the text is unchanged."""


def _by_git(note: str) -> Callable[[str], tuple[str, str]]:
    return lambda text: (text, note)


NEWLINE = DiffRepair("newline", "adds one", "the last line has none", ended)
FENCES = DiffRepair("fences", "keeps what is in them", "it stands in Markdown fences", unfenced)
CRLF = DiffRepair(
    "CRLF", "CRLF becomes LF", "lines end in CRLF, in the diff or in files", unix_throughout
)
RECOUNT = DiffRepair(
    *("recount", "git counts again", "it does not apply as its hunks count"),
    _by_git("counted the lines of its hunks again"),
    "--recount",
)
AS_NAMED = DiffRepair(
    *("names", "takes paths as they are", "names are paths of the code without a/ and b/"),
    _by_git("took its paths as they are, without a/ and b/"),
    "-p0",
)
WITH_CODE = (FENCES, NEWLINE, CRLF, RECOUNT, AS_NAMED)
ALONE = (
    DiffRepair("padding", "drops it", "a mark before the text or NULs after it", without_padding),
    DiffRepair("colours", "drops them", "headers begin with a terminal's colours", without_colours),
    DiffRepair("line ends", "CRLF becomes LF", "header lines end in CRLF", unix_line_ends),
    DiffRepair(
        "indent", "drops it", "no header is at a line's start, one is further in", outdented
    ),
    NEWLINE,
    DiffRepair("prose", "keeps the sections of files", "lines stand outside them", alone),
    DiffRepair("times", "drops them", "a time follows a name after a space", spaced_times),
    DiffRepair(
        "checkout", "makes names relative", "names begin with a known checkout", checkout_names
    ),
    DiffRepair("prefixes", "adds a/ and b/", "both names of a file lack them", bare_names),
    DiffRepair("counts", "counts again", "a hunk is not as long as it says", counted_anew),
    DiffRepair("links", "drops the section", "a link or a submodule is made", without_links),
    DiffRepair("contents", "drops the section", "a file's new content is not there", readable),
)
REPAIRS = (*WITH_CODE, *ALONE)


def repair(text: str) -> Repaired:
    """Bring a patch into a form that `git apply -p1` reads; "" stays as it is.

    Takes time and memory linear in the text.

    Raises:
        UsageError: it cannot be used as a patch; says why.
    """
    if not text.strip():
        return Repaired("", ("took blanks as an empty patch",) if text else ())
    if len(text) > LARGEST_PATCH:
        raise UsageError(
            f"It has {len(text) / 1e6:.1f} million characters, over {LARGEST_PATCH // 10**6}.",
            hint="No repair is so long. Did build files or an environment get into it?",
        )
    try:
        notes = []
        for repair in ALONE:
            text, note = repair.repair(text)
            if note:
                notes.append(note)
        why = flaw(text)
    finally:
        parts_of.cache_clear()
    if why:
        raise UsageError(f"It {why}.", hint="It must be a unified diff, as `git diff` writes it.")
    return Repaired(text, tuple(notes))
