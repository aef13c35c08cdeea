"""The commands in the project's Markdown files, as a reader would paste them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
PROGRAMS = ("troop", "make", "pip", "git", ".")
"""What a command of ours begins with; other blocks are code, tables and output."""

_LEFT_OPEN = "…"


@dataclass(frozen=True)
class Pasted:
    """One command of a block of a page."""

    page: str
    section: str
    text: str
    """With its continued lines, and its comment."""

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text.replace("\\\n", ""), comments=True)

    @property
    def left_open(self) -> bool:
        """Whether the reader has to fill something in."""
        return _LEFT_OPEN in " ".join(self.words)

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def pasted(page: Path) -> list[Pasted]:
    """The commands of a page's indented blocks, in order."""
    found: list[Pasted] = []
    section = ""
    fenced = False
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    for line in lines:
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            section = line.lstrip("# ")
        if fenced or not line.startswith("    "):
            continue
        text = line.strip()
        while text.endswith("\\"):
            text += "\n" + next(lines).strip()
        if text.split()[0] in PROGRAMS:
            found.append(Pasted(str(page.relative_to(ROOT)), section, text))
    return found


def mentioned(page: Path) -> list[str]:
    """The commands `troop …` within a page's sentences."""
    text = page.read_text(encoding="utf-8")
    return [re.sub(r"\s+", " ", found) for found in re.findall(r"`(troop\s[^`]+)`", text)]


def examples(text: str) -> list[str]:
    """The commands `troop …` of a help text, without what a pipe or a file takes from them."""
    joined = text.replace("\\\n", " ")
    return [
        re.split(r"\s[|>]\s|\s{3,}(?!-)", line.strip())[0]
        for line in joined.splitlines()
        if line.startswith("  troop ")
    ]
