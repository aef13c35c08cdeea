"""A repository, another one that it may not reach, and a program that may not be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.data.codebases.strangers import SECRET, made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return made(
        tmp_path / "repo", {"a.py": b"x = 1\n", ".gitattributes": b"*.py filter=f diff=d\n"}
    )


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return made(tmp_path / "other", {"key.txt": SECRET})


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that leaves a mark if anybody runs it."""
    file = tmp_path / "program.sh"
    file.write_text(f'#!/bin/sh\necho "$0 $@" >>{tmp_path}/mark\nexit 1\n')
    file.chmod(0o755)
    return file
