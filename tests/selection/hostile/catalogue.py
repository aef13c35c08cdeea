"""All hostile patches, by family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.selection.hostile.patches import (
    make,
    node,
    python_ends,
    python_hooks,
    python_lies,
    python_tools,
    ruby,
)
from tests.selection.hostile.repositories import MAKE, NODE, PYTHON, RUBY

if TYPE_CHECKING:
    from tests.selection.hostile.hostile import Hostile

FAMILIES = {
    "ends the process": (PYTHON, python_ends.PATCHES),
    "hooks and hidden modules": (PYTHON, python_hooks.PATCHES),
    "test tools and results": (PYTHON, python_tools.PATCHES),
    "prints verdicts": (PYTHON, python_tools.PRINTS),
    "lies in equality": (PYTHON, python_lies.EQUALITY),
    "reads scripts": (PYTHON, python_lies.SCRIPTS),
    "special-cases tests": (PYTHON, python_lies.SPECIAL),
    "time and resources": (PYTHON, python_lies.RESOURCES),
    "JavaScript": (NODE, node.PATCHES),
    "Ruby": (RUBY, ruby.PATCHES),
    "Make and shell": (MAKE, make.PATCHES),
}
LANGUAGES = {each.language: each for each in (PYTHON, NODE, RUBY, MAKE)}


def patches_for(language: str) -> list[Hostile]:
    """The patches in one language."""
    return [
        patch
        for repository, patches in FAMILIES.values()
        for patch in patches
        if repository.language == language
    ]
