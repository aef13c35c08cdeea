"""Replies and codebases for the tests of the edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.edits import Edited, apply_edits, parse_edits
from data.codebases.codebase import Codebase, SourceFile

if TYPE_CHECKING:
    from collections.abc import Mapping


def codebase(
    files: Mapping[str, str | SourceFile], skipped: Mapping[str, str] | None = None
) -> Codebase:
    return Codebase(
        "digest",
        {
            path: SourceFile(path, file) if isinstance(file, str) else file
            for path, file in sorted(files.items())
        },
        skipped or {},
    )


def text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def block(search: str, replace: str, *, width: int = 7) -> str:
    """Both halves are empty or end in a newline."""
    return f"{'<' * width} SEARCH\n{search}{'=' * width}\n{replace}{'>' * width} REPLACE\n"


def edit(path: str, *pairs: tuple[str, str], width: int = 7) -> str:
    blocks = "".join(block(search, replace, width=width) for search, replace in pairs)
    return f'<edit path="{path}">\n{blocks}</edit>\n'


def create(path: str, content: str) -> str:
    return f'<create path="{path}">\n{content}</create>\n'


def applied(reply: str, files: Mapping[str, str | SourceFile] | Codebase) -> Edited:
    code = files if isinstance(files, Codebase) else codebase(files)
    return apply_edits(parse_edits(reply), code)


def outcome(before: str, *pairs: tuple[str, str], width: int = 7) -> str:
    """What the blocks make of one file."""
    changes = applied(edit("f.py", *pairs, width=width), {"f.py": before}).changes
    content = changes["f.py"]
    assert content is not None
    return content.decode()
