"""No hostile patch gains a vote that an honest patch, as wrong as it is, would not have."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.selection.hostile.catalogue import LANGUAGES, patches_for
from tests.selection.hostile.racing import RIGHT, RULES, WRONG, raced, standings
from tests.support.debian_image import debian_image
from tests.support.docker import docker_engine, python_image

PROGRAMS = {"javascript": "node", "ruby": "ruby", "shell": "make", "python": "python"}
KINDS = [
    pytest.param("local", marks=pytest.mark.slow),
    pytest.param("docker", marks=pytest.mark.docker),
]


EVERY = "TROOP_EVERY_HOSTILE_PATCH"
"""Set to 1, this environment variable runs all of them, which takes about five minutes. Otherwise
only those run that take seconds; tests/selection/test_gaming.py covers every kind of patch."""
__all__ = ["docker_engine", "python_image"]


@pytest.fixture
def image(kind: str, language: str, request: pytest.FixtureRequest) -> str | None:
    """The image for a language; None: this machine's own programs."""
    if (kind == "docker" or language == "python") and not os.environ.get(EVERY):
        pytest.skip(f"it takes minutes; {EVERY}=1 runs it")
    if kind == "docker":
        if language == "python":
            return str(request.getfixturevalue("python_image"))
        return debian_image(("nodejs", "ruby", "make"))
    if shutil.which(PROGRAMS[language]) is None:
        pytest.skip(f"this machine has no {PROGRAMS[language]}")
    return None


def test_there_are_enough_of_them() -> None:
    count = {language: len(patches_for(language)) for language in LANGUAGES}
    assert sum(count.values()) >= 16 + 40
    assert min(count["javascript"], count["ruby"]) >= 8


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
async def test_no_hostile_patch_gains_a_vote(kind, language, image, tmp_path):
    patches = patches_for(language)
    matrix = await raced(kind, LANGUAGES[language], patches, tmp_path, image)
    found = standings(matrix)
    assert found.keys() == {RIGHT, WRONG, *(patch.name for patch in patches)}
    through = {
        patch.name
        for patch in patches
        for rule in RULES
        if found[patch.name][rule] > found[WRONG][rule]
    }
    assert found[RIGHT]["regression"][0] == len(LANGUAGES[language].scripts)
    assert through == set()
