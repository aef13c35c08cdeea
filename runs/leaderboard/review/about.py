"""metadata.yaml and README.md: what a submission says about its system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from runs.leaderboard.review.finding import ReviewFinding
from runs.leaderboard.submission import TODO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXTS = ("info.name", "info.authors", "info.site", "info.report", "tags.model", "tags.org")
URLS = ("info.site", "info.report")
FLAGS = ("tags.os_model", "tags.os_system")
ATTEMPTS = {"1", "2+"}
_PLACEHOLDER = re.compile(rf"\b({TODO}|FIXME|TBD|XXX)\b|^<.*>$|\bexample\.(com|org)\b")
_RESEARCH = {"verified", "multilingual"}
"""Leaderboards that take only research with a publication since 18 November 2025."""
_SHORTEST = 200
"""The fewest characters of a README that could describe a system."""


def check_about(folder: Path) -> Iterator[ReviewFinding]:
    """Check both files, if they are there."""
    for name in ("metadata.yaml", "metadata.yml"):
        if (folder / name).is_file():
            yield from _metadata(name, folder)
    if (folder / "README.md").is_file():
        yield from _readme(folder / "README.md")


def _metadata(name: str, folder: Path) -> Iterator[ReviewFinding]:
    try:
        found = yaml.safe_load((folder / name).read_text("utf-8", "replace"))
    except (yaml.YAMLError, ValueError) as error:
        yield ReviewFinding(
            name, f"is not YAML: {' '.join(str(error).split())[:200]}", "Write it again."
        )
        return
    if not isinstance(found, dict):
        yield ReviewFinding(name, "has no fields", "It must have info and tags.")
        return
    fields = {field: _field(found, field) for field in (*TEXTS, *FLAGS)}
    for field, value in fields.items():
        if value in (None, "", []):
            yield ReviewFinding(name, f"lacks {field}", "Fill it in.")
        elif said := _placeholder(value):
            yield ReviewFinding(name, f"{field} is still {said!r}", "Fill it in.")
        elif field in FLAGS and not isinstance(value, bool):
            yield ReviewFinding(name, f"{field} is {value!r}", "Write true or false.")
        elif field in URLS and not re.match(r"https?://[^\s/]+\.[^\s]+", str(value)):
            yield ReviewFinding(
                name, f"{field} is not a URL: {value!r}", "Give an http(s) address."
            )
    yield from _rest(name, found, folder)


def _rest(name: str, found: dict[str, Any], folder: Path) -> Iterator[ReviewFinding]:
    attempts = _field(found, "tags.system.attempts")
    if str(attempts) not in ATTEMPTS:
        yield ReviewFinding(name, f"tags.system.attempts is {attempts!r}", 'Write "1" or "2+".')
    if _field(found, "tags.checked") is True:
        yield ReviewFinding(name, "tags.checked is true", "Write false. The maintainers set it.")
    if (split := folder.resolve().parent.name) in _RESEARCH:
        yield ReviewFinding(
            name,
            f"the leaderboard {split} takes only open research with a publication",
            "Check that info.report is one, and that an author is at a research institution.",
            grave=False,
        )


def _field(found: dict[str, Any], path: str) -> Any:
    value: Any = found
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _placeholder(value: object) -> str:
    """The part of a field that a person has yet to fill in; "" for none."""
    parts = value if isinstance(value, list) else [value]
    return next((str(part) for part in parts if _PLACEHOLDER.search(str(part).strip())), "")


def _readme(file: Path) -> Iterator[ReviewFinding]:
    text = file.read_text("utf-8", "replace")
    if len(text.strip()) < _SHORTEST:
        yield ReviewFinding(
            file.name, "is almost empty", "Describe the system, and answer the checklist."
        )
    for number, line in enumerate(text.splitlines(), 1):
        if f"{TODO}:" in line:
            yield ReviewFinding(
                f"{file.name}:{number}", f"is still {line.strip()[:120]!r}", "Fill it in."
            )
        elif line.lstrip().startswith("- [ ]"):
            yield ReviewFinding(
                f"{file.name}:{number}",
                f"leaves a question open: {line.strip()[:120]!r}",
                "Tick it, or say why it is not true.",
            )
