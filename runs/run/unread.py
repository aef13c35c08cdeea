"""What to say of files that no model will read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.source_files import large_source_files, source_files
from data.paths import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.codebases.codebase import Codebase

_SHOWN = 3


def unread_notes(codebase: Codebase, largest: int) -> Iterator[str]:
    """Sentences for the person; `largest`: bytes of a file that is read."""
    large = large_source_files(codebase)
    if large:
        paths = sorted(large, key=lambda path: -large[path])
        named = [f"{show_path(path)} ({large[path]:,} bytes)" for path in paths[:_SHOWN]]
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        yield (
            f"larger than {largest:,} bytes, so neither read nor edited: {', '.join(named)}{more}"
            f" (--set context.largest_file={max(large.values())} includes them)"
        )
    if not source_files(codebase):
        yield (
            f"none of its {len(codebase.files):,} text files is source code that a model would"
            " read, so it is shown none"
        )
