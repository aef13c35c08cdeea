"""What pages and help texts name can be given: commands, flags, settings, targets, questions."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from runs.cli.main import COMMANDS, EPILOG, build_parser
from runs.run import config
from runs.run.config import load_config, parse_setting
from runs.store.database import sqlite_url
from runs.store.query import ask
from tests.docs.pages import PAGES, ROOT, Pasted, examples, mentioned, pasted

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = [command for page in PAGES for command in pasted(page)]
OURS = [command for command in BLOCKS if command.words[0] == "troop"]
SENTENCES = [(page.name, text) for page in PAGES for text in mentioned(page)]


def helps() -> list[str]:
    modules = (importlib.import_module(f"runs.cli.{name.replace('-', '_')}") for name in COMMANDS)
    return [line for module in modules for line in examples(module.__doc__ or "")]


KNOWN = config.settings()
EXAMPLES = [*examples(EPILOG), *helps()]


def test_commands_were_found() -> None:
    assert {command.words[1] for command in OURS} >= set(COMMANDS) - {"demo", "config"}
    assert len(SENTENCES) > 20
    assert len(EXAMPLES) > 40


@pytest.mark.parametrize("command", [c for c in OURS if not c.left_open], ids=str)
def test_a_command_of_a_block_is_accepted_as_it_stands(command: Pasted) -> None:
    for words in chained(command.words):
        assert accepted(words[1:])


@pytest.mark.parametrize("text", [text for text in EXAMPLES if "…" not in text])
def test_an_example_of_a_help_text_is_accepted_as_it_stands(text: str) -> None:
    assert accepted(shlex.split(text)[1:])


@pytest.mark.parametrize(
    "text",
    [
        *(text for _, text in SENTENCES),
        *(command.text for command in OURS if command.left_open),
        *(text for text in EXAMPLES if "…" in text),
    ],
)
def test_what_is_named_within_a_sentence_exists(text: str) -> None:
    for words in chained(shlex.split(text, comments=True)):
        named = [word for word in words[1:] if word != "…"]
        for flag in (word.partition("=")[0] for word in named if re.match(r"-\w|--\w", word)):
            assert flag in flags(named), text
        for setting in settings(named):
            assert parse_setting(setting)[0] in KNOWN, text


def chained(words: list[str]) -> list[list[str]]:
    """The commands of ours between `&&` and pipes."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in {"&&", "|"}:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part[:1] == ["troop"]]


def accepted(words: list[str]) -> bool:
    """Parse it as the command line does; an error of the parser ends the test."""
    load_config(None, dict(map(parse_setting, settings(words))))
    args = build_parser(words[0]).parse_args(words)
    return args.version or args.command == words[0]


def settings(words: list[str]) -> list[str]:
    """What follows each --set, if it is whole."""
    given = (after for word, after in pairwise(words) if word == "--set")
    return [setting for setting in given if "…" not in setting and "=" in setting]


def flags(words: list[str]) -> set[str]:
    """The flags of the command that these words name, and of the program."""
    return set().union(*(parser._option_string_actions for parser in chosen(words)))


def chosen(words: list[str]) -> list[argparse.ArgumentParser]:
    """The program's parser, its command's, and that one's own command's."""
    parsers = [build_parser(words[0])]
    for word in words:
        subs = [a for a in parsers[-1]._actions if isinstance(a, argparse._SubParsersAction)]
        if not subs:
            break
        if word.startswith("-"):
            continue
        assert word in subs[0].choices, f"there is no command {word}"
        parsers.append(subs[0].choices[word])
    return parsers


def test_every_question_can_be_asked(tmp_path: Path) -> None:
    queries = [words[2] for words in map(words_of, EXAMPLES) if words[:2] == ["troop", "sql"]]
    queries += [command.words[2] for command in OURS if command.words[1] == "sql"]
    queries = [query for query in queries if query.startswith("SELECT")]
    assert len(queries) > 5
    database = empty_database(tmp_path)
    for query in queries:
        assert ask(database, query).rows == [], query


def words_of(text: str) -> list[str]:
    return shlex.split(text, comments=True)


def empty_database(folder: Path) -> str:
    from runs.store.database import open_database

    url = sqlite_url(folder / "troop.db")
    open_database(url).dispose()
    return url


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for command in BLOCKS if command.words[0] == "make" for word in command.words[1:]}
    named |= {word for page in PAGES for word in re.findall(r"`make ([a-z]+)`", page.read_text())}
    assert len(named) > 3
    assert named <= targets | {"PYTHON=python3.12"}


def test_every_extra_of_the_package_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    named = {
        extra
        for page in PAGES
        for extra in re.findall(r"\.\[(\w+)\]|repair\[(\w+)\]", page.read_text())
    }
    assert {one or other for one, other in named} <= set(extras)


def test_every_page_is_in_the_index_and_every_link_leads_somewhere() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert page.name == "README.md" or f"]({page.name}): " in index, page.name
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), (page.name, link)
