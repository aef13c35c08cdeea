"""All hostile patches: one file of `patches` for each family.

In a file's text, `<wrong>` stands for that file in the honest wrong patch, and `<5000 digits>` for
what it says. A patch is wrong as the honest one where it does not change the same file.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.selection.hostile.repositories import MAKE, NODE, PYTHON, RUBY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.selection.hostile.repositories import Repository

LANGUAGES = {each.language: each for each in (PYTHON, NODE, RUBY, MAKE)}


@dataclass(frozen=True, slots=True)
class Hostile:
    """A patch that does not fix the issue and breaks a repository test, but wants votes."""

    name: str
    tries: str
    """What it tries, as a sentence."""
    files: Mapping[str, str]
    """What it adds or changes beside the honest wrong patch."""
    seen: str = "execution"
    """What denies it the votes: its "execution", or only its "diff"."""


def patches_for(language: str) -> list[Hostile]:
    """The patches in one language."""
    families = (tomllib.loads(path.read_text()) for path in _FAMILIES)
    return [
        Hostile(**{**given, "files": _whole(given["files"], LANGUAGES[language])})
        for family in families
        if family["language"] == language
        for given in family["patch"]
    ]


_FAMILIES = sorted((Path(__file__).parent / "patches").glob("*.toml"))


def _whole(files: Mapping[str, str], repository: Repository) -> dict[str, str]:
    return {
        path: text.replace("<wrong>\n", repository.wrong.get(path, "")).replace(
            "<5000 digits>", "9" * 5000
        )
        for path, text in files.items()
    }
