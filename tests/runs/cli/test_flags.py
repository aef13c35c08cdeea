"""Commands agree: one spelling, one metavar and one text for one thing, and old spellings work."""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path

import pytest

from runs.cli.main import COMMANDS, build_parser


def sub_parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def commands() -> dict[str, argparse.ArgumentParser]:
    """All commands, and the commands in them."""
    found = {name: sub_parsers(build_parser(name))[name] for name in COMMANDS}
    within = {
        f"{name} {sub}": one for name, p in found.items() for sub, one in sub_parsers(p).items()
    }
    return found | within


ALL = commands()


def shown(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [
        action
        for action in parser._actions
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction)
    ]


def test_the_same_flag_is_the_same_thing_everywhere():
    """Behind a colon or in brackets is what is a command's own: what is written, what is usual."""
    said = defaultdict(lambda: defaultdict(list))
    for name, parser in ALL.items():
        for action in shown(parser):
            flag = max(action.option_strings, key=len, default=action.metavar)
            text = re.split(r"[:(]", action.help or "")[0].strip()
            choices = tuple(action.choices or ())
            if flag != "--format":  # each command has formats of its own
                said[flag][action.metavar, text, choices].append(name)
    assert not {flag: dict(ways) for flag, ways in said.items() if len(ways) > 1 and flag != "RUN"}


def test_values_have_names_that_say_what_they_are():
    """A flag without a metavar shows its own name in capitals, which says nothing."""
    for name, parser in ALL.items():
        for action in shown(parser):
            if action.option_strings and action.nargs != 0 and not action.choices:
                assert action.metavar, f"{name} {action.option_strings}"


OLD = [
    ("ensemble", ["verified", "--candidates", "a"], "dataset", "verified", "--dataset verified"),
    ("select", ["r", "--oracle", "g"], "grades", [Path("g")], "--oracle is now --grades"),
    ("ensemble", ["--candidates", "a", "--oracle", "g"], "grades", [Path("g")], "--grades"),
    ("select", ["r", "--write", "f"], "output", Path("f"), "--write is now --output"),
    ("grade", ["r", "--write", "f"], "output", Path("f"), "--write is now --output"),
    ("check-predictions", ["p", "--write", "f"], "output", Path("f"), "--write is now --output"),
    ("grade", ["r", "--timeout", "9"], "grade_timeout", 9.0, "--timeout is now --grade-timeout"),
    ("grade", ["r", "--workers", "3"], "parallel", 3, "--workers is now --parallel"),
    ("export", ["r", "-o", "out"], "folder", Path("out"), "-o is now --folder"),
    ("export", ["r", "--output", "out"], "folder", Path("out"), "--output is now --folder"),
    ("export", ["r", "--split", "lite"], "leaderboard_split", "lite", "--leaderboard-split"),
    ("show", ["r", "--patch"], "patch_only", True, "--patch is now --patch-only"),
]
CHECK = ["check", "--dataset", "d"]


@pytest.mark.parametrize(
    ("command", "words", "dest", "value", "note"),
    [
        *OLD,
        ("data", [*CHECK, "--write-exclude", "f"], "output", Path("f"), "now --output"),
        ("data", [*CHECK, "--workers", "2"], "parallel", 2, "--workers is now --parallel"),
        ("data", [*CHECK, "--timeout", "2"], "grade_timeout", 2.0, "--grade-timeout"),
    ],
)
def test_an_old_spelling_works_with_one_note(command, words, dest, value, note, capsys):
    parser = build_parser(command)
    args = parser.parse_args([command, *words])
    assert getattr(args, dest) == value
    errors = capsys.readouterr().err
    assert note in errors
    assert errors.count("\n") == 1
    old = next(word for word in words if word.startswith("-"))
    where = f"{command} check" if command == "data" else command
    if old not in {"--candidates", "--dataset"}:
        assert f"{old} " not in ALL[where].format_help().partition("\n\n")[0]


def test_new_spellings_have_no_note(capsys):
    words = ["--dataset", "d", "--candidates", "a", "b", "--grades", "g", "--parallel", "2"]
    args = build_parser("ensemble").parse_args(["ensemble", *words])
    assert (args.dataset, args.candidates) == ("d", [Path("a"), Path("b")])
    assert capsys.readouterr().err == ""
