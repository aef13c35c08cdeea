"""The new text of one file, or every problem with its edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.edits.lines import join_lines, split_lines
from agent.edits.matching import Found, Haystack, Several, is_blank
from agent.edits.nouns import MISMATCH_LIMIT, Block, EditMismatch, excerpt
from agent.edits.paths import missing_file
from agent.edits.readings import Unclear, choose, unfence
from agent.edits.reporting import report_missing, report_several, report_unclear
from data.paths import show_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.codebases.codebase import Codebase, SourceFile

_DETAILED = 4
"""How many problems are described in full; more would not fit in the message."""
_MOST_PROBLEMS = 20
"""After this many problems, the rest of a reply is ignored."""
_PROSE = (".md", ".mdx", ".markdown", ".rst", ".txt", ".adoc")
"""Files that may hold nothing but a Markdown fence."""


class Problems:
    """Everything in a reply that does not fit, so that the model can fix it in one go."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    @property
    def at_length(self) -> bool:
        """Whether the next problem will be described in full."""
        return len(self._found) < _DETAILED

    def add(self, name: str, message: str) -> None:
        """Add a problem.

        Raises:
            EditMismatch: there are too many.
        """
        self._found.append((name, message))
        if len(self._found) >= _MOST_PROBLEMS:
            self.check()

    def check(self) -> None:
        """Return if there are no problems.

        Raises:
            EditMismatch: there are some. The message describes as many as fit.
        """
        if not self._found:
            return
        told: list[str] = []
        room = MISMATCH_LIMIT - 600
        rest = list(self._found)
        while rest and (not told or (len(told) < _DETAILED and len(rest[0][1]) <= room)):
            message = rest.pop(0)[1]
            told.append(message)
            room -= len(message) + 2
        if rest:
            names = "; ".join(name for name, _ in rest)
            told.append(f"There is more that does not fit: {names}")
        raise EditMismatch("\n\n".join(told))


def created_text(path: str, content: str, file: SourceFile | None, notes: list[str]) -> str:
    """The text of a <create>, in the form of the file that it replaces."""
    lines = split_lines(content).lines
    unfenced = None if path.lower().endswith(_PROSE) else unfence(lines)
    if unfenced is not None:
        notes.append(f"{show_path(path)}: the Markdown fence around its content was left out.")
        lines = list(unfenced)
        content = "".join(f"{line}\n" for line in lines)
    if file is None:
        return content
    notes.append(f"{show_path(path)} exists; the whole of it was replaced.")
    form = split_lines(file.text)
    mark = "" if content.startswith(form.mark) else form.mark
    return mark + content.replace("\n", form.usual_end)


def replaced_text(
    path: str, blocks: Sequence[Block], codebase: Codebase, problems: Problems, notes: list[str]
) -> str | None:
    """The file's text after all blocks, or None if a block does not fit.

    Raises:
        EditMismatch: there is no such file, or there are too many problems.
    """
    file = codebase.files.get(path)
    if file is None or not file.text.strip("\ufeff"):
        return _begun(path, file, blocks, codebase)
    hay = Haystack(file.text)
    placed: list[tuple[str, Found]] = []
    for number, block in enumerate(blocks, 1):
        name = _name(path, number, block)
        outcome = choose(hay, block)
        if isinstance(outcome, Found):
            placed.append((name, outcome))
        elif all(is_blank(search) for search, _ in block.readings()):
            problems.add(name, f"{name}: {_EMPTY_SEARCH}")
        elif isinstance(outcome, Several):
            problems.add(name, report_several(outcome, name))
        elif isinstance(outcome, Unclear):
            problems.add(name, report_unclear(outcome, name))
        else:
            long = problems.at_length
            problems.add(name, report_missing(hay, block, name, path, codebase) if long else name)
    placed.sort(key=lambda one: one[1].splice.start)
    apart = _check_apart(placed, problems)
    if not apart or len(placed) < len(blocks):
        return None
    notes += [note for name, found in placed for note in _notes(hay, name, found)]
    return join_lines(hay.file, [found.splice for _, found in placed])


_EMPTY_SEARCH = (
    "its SEARCH is empty, but the file is not. Copy into SEARCH the lines at which the new ones"
    " shall stand, and repeat them in REPLACE; or replace the whole file with <create>."
)


def _begun(path: str, file: SourceFile | None, blocks: Sequence[Block], codebase: Codebase) -> str:
    """The text of a file that is not there or is empty: an empty SEARCH fills it."""
    search, replace = next(blocks[0].readings())
    if len(blocks) == 1 and is_blank(search):
        text = "".join(f"{line}\n" for line in replace)
        return text if file is None else file.text + text
    if file is None:
        raise EditMismatch(missing_file(path, codebase))
    raise EditMismatch(f"{show_path(path)} is empty: write one block with nothing in SEARCH.")


def _name(path: str, number: int, block: Block) -> str:
    where = f" (line {block.line} of your reply)" if block.line else ""
    return f"{excerpt(show_path(path), 200)}, block {number}{where}"


def _check_apart(placed: Sequence[tuple[str, Found]], problems: Problems) -> bool:
    """Whether no two of the blocks, which are in order, take the same line."""
    furthest: tuple[str, Found] | None = None
    apart = True
    for name, found in placed:
        start, stop = found.splice.start, found.splice.stop
        if furthest is not None and start < furthest[1].splice.stop:
            apart = False
            other, splice = furthest[0], furthest[1].splice
            problems.add(
                name,
                f"{name}, takes lines {start + 1}-{stop}, and {other}, takes lines"
                f" {splice.start + 1}-{splice.stop}: they overlap. Write them as one block, or"
                " leave out of one what is in the other.",
            )
        if furthest is None or stop > furthest[1].splice.stop:
            furthest = (name, found)
    return apart


def _notes(hay: Haystack, name: str, found: Found) -> list[str]:
    start, stop, lines, _ = found.splice
    notes = []
    if found.how:
        where = f"lines {start + 1}-{stop}" if stop > start + 1 else f"line {stop}"
        notes.append(f"{name}, was found at {where} {found.how}.")
    if list(lines) == hay.lines[start:stop]:
        notes.append(f"{name}, changes nothing.")
    return notes
