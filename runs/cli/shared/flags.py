"""Flags that several commands share, and what is made of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.run.config import load_config, parse_setting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from data.predictions.predictions import Prediction
    from runs.run.config import Config

DATASET_HELP = (
    "a JSONL, JSON or parquet file, a folder, a hub name, or a short name (lite, full, verified,"
    " pro …: `troop data list`); ALIAS:FILE says which dataset a file is of"
)

_SETTINGS = {
    "model": "model.name",
    "base_url": "model.base_url",
    "samples": "samples.count",
    "context_model": "context.model",
    "context_tokens": "context.tokens",
    "prefilter": "context.prefilter_files",
    "sandbox": "batch.sandbox",
    "timeout": "limits.timeout_s",
}


def add_database(parser: argparse.ArgumentParser) -> None:
    """--db."""
    parser.add_argument(
        "--db",
        metavar="FILE",
        help="the database: a SQLite file or a SQLAlchemy URL ($TROOP_DB, or troop.db in your data"
        " folder, ~/.local/share/troop)",
    )


def add_work(parser: argparse.ArgumentParser, *, writing: bool = True) -> None:
    """The flags of commands that solve something; not `writing`: candidates come from elsewhere."""
    model = parser.add_argument_group("model")
    model.add_argument("--model", metavar="M", help="the model's name as the server knows it")
    model.add_argument(
        "--base-url", metavar="URL", help="an OpenAI-compatible server, usually ending in /v1"
    )
    model.add_argument("--context-model", metavar="M", help="a cheaper model that reads the files")
    work = parser.add_argument_group("work")
    if writing:
        work.add_argument(
            "--samples",
            type=int,
            metavar="N",
            help="independent attempts (10); a run that is there can be asked for more",
        )
    work.add_argument("--context-tokens", type=int, metavar="N", help="context size (128000)")
    work.add_argument(
        "--prefilter",
        type=int,
        metavar="N",
        help="only the N best-matching files are read",
    )
    work.add_argument("--timeout", type=float, metavar="S", help="seconds for one script (100)")
    work.add_argument(
        "--sandbox",
        choices=("docker", "local", "auto"),
        help="where scripts run: docker (default), or local, which is only lightly walled off",
    )
    if writing:
        work.add_argument(
            "--candidates",
            type=Path,
            metavar="FILE",
            help="other systems' predictions join the race",
        )
    run = parser.add_argument_group("run")
    run.add_argument("--name", default="", help="the run's name (made from dataset and model)")
    run.add_argument("--fresh", action="store_true", help="begin anew instead of resuming")
    add_take_over(run)
    run.add_argument("--replay", type=Path, metavar="FILE", help="take replies from a recording")
    run.add_argument("--config", type=Path, metavar="FILE", help="settings, TOML (`troop config`)")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any setting, for example --set selection.votes=paper",
    )
    add_database(run)  # type: ignore[arg-type]


def add_take_over(group: argparse._ArgumentGroup) -> None:
    """--take-over."""
    group.add_argument(
        "--take-over",
        action="store_true",
        help="take instances at once that other processes work on, whoever they are; without it,"
        " only those of processes that are gone",
    )


def configuration(args: argparse.Namespace, defaults: Mapping[str, Any] | None = None) -> Config:
    """The configuration that the flags ask for.

    Raises:
        UsageError: a setting is unknown or has the wrong type.
    """
    overrides = dict(defaults or {})
    if args.replay is not None:
        overrides["batch.sandbox"] = "auto"
    return load_config(args.config, overrides | given_settings(args), tell=tell)


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that flags name, by dotted name; --set has the last word.

    Raises:
        UsageError: a --set is malformed.
    """
    named = {name: getattr(args, flag, None) for flag, name in _SETTINGS.items()}
    settings = {name: value for name, value in named.items() if value is not None}
    return settings | dict(map(parse_setting, args.set))


def dataset_name(given: str) -> str:
    """What a dataset is stored as: a file by its whole path, so that no other one is meant."""
    from data.instances.family import split_source

    _, place = split_source(given)
    if place != given and Path(place).exists():
        return f"{given.removesuffix(place)}{Path(place).resolve()}"
    return str(Path(given).resolve()) if Path(given).exists() else given


def outside_candidates(file: Path | None) -> Mapping[str, Sequence[Prediction]]:
    """Other systems' predictions by instance.

    Raises:
        UsageError: the file cannot be read.
    """
    if file is None:
        return {}
    from data.predictions.predictions import read_predictions

    notes: list[str] = []
    found = read_predictions(file, notes=notes)
    tell(notes)
    return found


def tell(notes: Sequence[str]) -> None:
    """Notes for people, each on a line, before there is a display."""
    from runs.words import visible

    sys.stderr.write("".join(f"{visible(note)}\n" for note in notes))
