"""What the sentences of the pages name exists: files, flags, settings and views."""

from __future__ import annotations

import argparse
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from runs.cli.main import COMMANDS
from runs.run import config
from runs.store.views import VIEWS
from tests.docs.pages import PAGES, ROOT
from tests.docs.test_commands import chosen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = (*PAGES, ROOT / "benchmarks" / "README.md")
FOLDERS = "agent|benchmarks|data|docs|runs|sandbox|selection|tests"
FILE = re.compile(rf"`((?:{FOLDERS})/[^`\s]*|\w+\.(?:py|sh))`")
SECTIONS = {name.partition(".")[0] for name in config.settings()}
SETTING = re.compile(rf"`((?:{'|'.join(sorted(SECTIONS))})\.[a-z_]+)")
FLAG = re.compile(r"`(--?[a-z][a-z-]*)")
VIEW = re.compile(r"\bviews? `(\w+)`(?: and `(\w+)`)?")


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(
        listed, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\n")


def named(what: re.Pattern[str], pages: tuple[Path, ...] = ALL) -> Iterator[tuple[str, str]]:
    """Each page with each name in it."""
    for page in pages:
        for found in what.finditer(re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))):
            yield from ((page.name, name) for name in found.groups() if name)


def test_every_file_exists(tracked: list[str]) -> None:
    found = list(named(FILE))
    assert len(found) > 60
    for page, name in found:
        here = any(ROOT.glob(name)) if "/" in name else any(t.endswith(f"/{name}") for t in tracked)
        assert here or name in tracked, f"{page}: {name}"


def test_every_flag_exists() -> None:
    known = {
        option
        for command in COMMANDS
        for parser in every_parser(command)
        for option in parser._option_string_actions
    }
    found = list(named(FLAG, PAGES))
    assert len(found) > 50
    assert [(page, flag) for page, flag in found if flag not in known] == []


def every_parser(command: str) -> Iterator[argparse.ArgumentParser]:
    """A command's parser, and those of its own commands."""
    parser = chosen([command])[-1]
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def test_every_setting_exists() -> None:
    found = list(named(SETTING))
    assert len(found) > 15
    assert [(page, name) for page, name in found if name not in config.settings()] == []


def test_every_view_exists() -> None:
    found = list(named(VIEW))
    assert len(found) > 3
    assert [(page, name) for page, name in found if name not in {v.name for v in VIEWS}] == []
