"""The examples of the documentation, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str = "python") -> list[str]:
    """The fenced blocks of a page that are in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def example(page: str) -> dict[str, object]:
    """What the first Python block of a page defines."""
    code = blocks(page)[0]
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(code, page, "exec"), names)
    return names
