"""Notes on files that no model will read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.source_files import large_source_files, source_files
from data.paths import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.codebases.codebase import Codebase

_SHOWN = 3


def unread_notes(codebase: Codebase, largest: int) -> Iterator[str]:
    """Sentences for the person; `largest`: the bytes up to which a file is read."""
    large = large_source_files(codebase)
    if large:
        paths = sorted(large, key=lambda path: -large[path])
        named = [f"{show_path(path)} ({large[path]:,} bytes)" for path in paths[:_SHOWN]]
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        yield (
            f"Files larger than {largest:,} bytes are neither read nor edited:"
            f" {', '.join(named)}{more}. To include them:"
            f" --set context.largest_file={max(large.values())}"
        )
    if not source_files(codebase):
        yield (
            f"None of its {len(codebase.files):,} text files is source code, so the model is shown"
            " no files."
        )
