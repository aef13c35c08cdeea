"""Random codebases with random edits, written as a reply, and what must come of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from agent.edits import EditMismatch, apply_edits, parse_edits
from agent.edits.lines import split_lines
from tests.agent.edits.replies import codebase, create

if TYPE_CHECKING:
    from data.codebases.codebase import Codebase

LINES = st.sampled_from(
    [
        *["", "  ", "a", "b", "    a", "\ta", "a ", "é→𝄞", "return 1", "x" * 300, "- a", "+b"],
        *[
            "=======",
            "=====",
            "=========",
            "  =======",
            "<<<<<<< HEAD",
            ">>>>>>> main",
            "======= x",
        ],
        *["<<<<<<<", ">>>>>>>", "</edit>", "  </edit>", "</create>", "<edit>", "```", "```python"],
        *["@@ -1 +1 @@", "\\ No newline at end of file", "\x0c", "a\u2028b", "a\x85", "\x1b[0m"],
    ]
) | st.text(st.characters(codec="utf-8", exclude_characters="\r\n\ufeff"), max_size=8)
PATHS = ["a.txt", "src/b.txt", "src/pkg/c.txt", "é d.txt"]


@dataclass(frozen=True)
class File:
    lines: list[str]
    ends: list[str]

    @property
    def text(self) -> str:
        return "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))


@dataclass(frozen=True)
class Change:
    """Lines `start` to `stop` become `new`."""

    start: int
    stop: int
    new: list[str]


@dataclass(frozen=True)
class World:
    files: dict[str, File]
    changes: dict[str, list[Change]]
    created: dict[str, str]
    deleted: list[str]
    reply: str

    @property
    def codebase(self) -> Codebase:
        return codebase({path: file.text for path, file in self.files.items()})


@st.composite
def some_file(draw: st.DrawFn) -> File:
    drawn = draw(st.lists(LINES | st.none(), min_size=1, max_size=12))
    lines = [f"line {at}" if line is None else line for at, line in enumerate(drawn)]
    ends = draw(
        st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"]]).flatmap(
            lambda some: st.lists(st.sampled_from(some), min_size=len(lines), max_size=len(lines))
        )
    )
    if lines[-1] and len(lines) > 1 and draw(st.booleans()):
        ends[-1] = ""
    return File(lines, ends)


@st.composite
def some_changes(draw: st.DrawFn, file: File) -> list[Change]:
    """Changes apart from each other, each at a place whose text occurs only once."""
    count = len(file.lines)
    borders = sorted(draw(st.lists(st.integers(0, count), min_size=2, max_size=8)))
    changes = []
    for start, stop in zip(borders[::2], borders[1::2], strict=False):
        search = file.lines[start:stop]
        places = [at for at in range(count) if file.lines[at : at + len(search)] == search]
        if any(line.strip() for line in search) and len(places) == 1:
            changes.append(Change(start, stop, draw(st.lists(LINES, max_size=5))))
    return changes


def _widths(texts: list[str]) -> list[int]:
    """How wide the markers can be without a line of the texts looking like one."""
    taken = {len(text.split(" ")[0]) for text in map(str.strip, texts) if text[:1] in "<=>"}
    return [width for width in range(5, 10) if width not in taken]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    files = {path: draw(some_file()) for path in PATHS[: draw(st.integers(1, 3))]}
    changes, created, deleted, parts = {}, {}, [], ["Some prose.\n"]
    for path, file in files.items():
        kind = draw(st.sampled_from(["change", "change", "change", "create", "delete"]))
        if kind == "change" and (found := draw(some_changes(file))):
            changes[path] = found
            parts.append(_edit(draw, path, file, found))
        elif kind == "delete":
            deleted.append(path)
            parts.append(f'<delete path="{path}"/>\n')
        elif kind == "create":
            lines = [line for line in draw(st.lists(LINES, max_size=6)) if line != "</create>"]
            new = draw(st.sampled_from(["new/e.txt", "f g.txt"]))
            created[new] = "".join(f"{line}\n" for line in lines)
    parts += [create(path, content) for path, content in created.items()]
    return World(files, changes, created, deleted, "".join(draw(st.permutations(parts))))


def _edit(draw: st.DrawFn, path: str, file: File, changes: list[Change]) -> str:
    blocks = []
    for change in draw(st.permutations(changes)):
        search = file.lines[change.start : change.stop]
        width = draw(st.sampled_from(_widths([*search, *change.new]) or [9]))
        body = [f"{'<' * width} SEARCH", *search, "=" * width, *change.new]
        blocks += [*body, f"{'>' * width} REPLACE", *draw(st.sampled_from([[], [""], ["```"]]))]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return newline.join([f'<edit path="{path}">', *blocks, "</edit>", ""])


def changed(world: World) -> dict[str, bytes | None]:
    """The changes; empty if nothing changes."""
    try:
        return apply_edits(parse_edits(world.reply), world.codebase).changes
    except EditMismatch as refused:
        if "change nothing" in str(refused):
            return {}
        raise


def check_changed(file: File, changes: list[Change], after: str) -> None:
    """`after` has the intended lines; all endings are the file's, or like those around."""
    expected: list[str] = []
    sources: list[int | None] = []
    """For each line of the result the line of the file that it is, if outside of all changes."""
    done = 0
    for change in sorted(changes, key=lambda one: one.start):
        expected += file.lines[done : change.start] + change.new
        sources += [*range(done, change.start), *[None] * len(change.new)]
        done = change.stop
    expected += file.lines[done:]
    sources += range(done, len(file.lines))
    known = {end for end in file.ends if end} or {"\n"}
    got = split_lines(after) if expected else split_lines("")
    assert got.lines == expected
    for at, (end, source) in enumerate(zip(got.ends, sources, strict=True)):
        last = at == len(expected) - 1
        if source is not None:
            assert end == file.ends[source]
        elif last and not file.ends[-1] and expected[-1] == file.lines[-1]:
            assert end in known | {""}
        else:
            assert end in known
    if not expected:
        assert after == ""
