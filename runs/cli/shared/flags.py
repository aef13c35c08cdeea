"""Flags that several commands share, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.cli.shared.notes import tell
from runs.cli.shared.spellings import once_called
from runs.run.config import load_config, parse_setting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from data.predictions.predictions import Prediction
    from runs.run.config import Config

    Group = argparse._ActionsContainer  # noqa: SLF001 - argparse has no other name for both

DATASET_HELP = (
    "where instances come from: a JSONL, JSON or parquet file, a folder, a hub name, or a short"
    " name (lite, full, verified, pro …: `troop data list`); ALIAS:FILE says which dataset a file"
    " is of"
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


def add_database(parser: Group, default: str | None = None) -> None:
    """--db."""
    parser.add_argument(
        "--db",
        default=default,
        metavar="FILE",
        help="the database: a SQLite file or a SQLAlchemy URL ($TROOP_DB, or troop.db in your data"
        " folder, ~/.local/share/troop)",
    )


def add_dataset(group: Group, *, required: bool = False, default: str = "") -> argparse.Action:
    """--dataset and --split; `default`: what stands for a dataset that is not given."""
    said = DATASET_HELP + (f" ({default})" if default else "")
    dataset = group.add_argument("--dataset", required=required, metavar="DATASET", help=said)
    group.add_argument("--split", metavar="SPLIT", help="the dataset's split (`troop data list`)")
    return dataset


def add_run(
    parser: Group, dest: str, *, optional: bool = False, latest: bool = True
) -> argparse.Action:
    """RUN, the first positional; `latest`: "last" is one, too."""
    said = 'a run\'s name, or "last": the one begun last' if latest else "a run's name"
    return parser.add_argument(dest, nargs="?" if optional else None, metavar="RUN", help=said)


def add_instances(parser: Group) -> argparse.Action:
    """INSTANCE, any number of them."""
    return parser.add_argument(
        "instances",
        nargs="*",
        default=[],
        metavar="INSTANCE",
        help="an instance's id (all; several are fine)",
    )


def add_output(parser: Group, what: str, *old: str) -> None:
    """-o, --output: the one file that a command writes; `old`: what the flag was once called."""
    output = parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=f"the file to write: {what}"
    )
    if old:
        once_called(parser, output, *old)


def add_grades(parser: Group) -> None:
    """--grades."""
    grades = parser.add_argument(
        "--grades",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="verdicts on the candidates: what choices are worth (what `troop grade` has stored)",
    )
    once_called(parser, grades, "--oracle")


def add_json(parser: Group) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="JSON, for programs")


def add_parallel(parser: Group, what: str, *old: str) -> None:
    """--parallel: how much goes on at once."""
    parallel = parser.add_argument(
        "--parallel", type=int, metavar="N", help=f"how many at once: {what}"
    )
    if old:
        once_called(parser, parallel, *old)


def add_patch_only(parser: Group) -> argparse.Action:
    """--patch-only."""
    return parser.add_argument(
        "--patch-only", action="store_true", help="print the chosen patch, nothing else"
    )


def add_sandbox(parser: Group, default: str | None = None) -> None:
    """--sandbox."""
    parser.add_argument(
        "--sandbox",
        choices=("docker", "local", "auto"),
        default=default,
        help="where scripts run: in docker, or local, which is only lightly walled off; auto:"
        f" docker where an engine answers, else local ({default or 'docker'})",
    )


def add_fresh(parser: Group) -> None:
    """--fresh."""
    parser.add_argument(
        "--fresh", action="store_true", help="begin a new run instead of continuing one"
    )


def add_take_over(parser: Group) -> None:
    """--take-over."""
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="take instances at once that other processes work on, whoever they are; without it,"
        " only those of processes that are gone",
    )


def add_candidates(parser: Group, *, required: bool = False) -> None:
    """--candidates."""
    parser.add_argument(
        "--candidates",
        type=Path,
        nargs="+",
        action="extend",
        required=required,
        default=[],
        metavar="FILE",
        help="other systems' predictions: preds.json, all_preds.jsonl, or a JSON array",
    )


def add_model(parser: Group, *, context: bool = True) -> None:
    """--model, --base-url and, with `context`, --context-model."""
    parser.add_argument("--model", metavar="M", help="the model's name as the server knows it")
    parser.add_argument(
        "--base-url", metavar="URL", help="an OpenAI-compatible server, usually ending in /v1"
    )
    if context:
        parser.add_argument(
            "--context-model", metavar="M", help="a cheaper model that reads the files"
        )


def add_settings(parser: Group) -> None:
    """--config and --set."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings, TOML (`troop config`)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any setting, for example --set selection.votes=paper",
    )


def add_work(parser: argparse.ArgumentParser, *, writing: bool = True) -> None:
    """The flags of commands that solve something; not `writing`: candidates come from elsewhere."""
    add_model(parser.add_argument_group("model"))
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
    add_sandbox(work)
    if writing:
        add_candidates(work)
    run = parser.add_argument_group("run")
    run.add_argument(
        "--name", default="", metavar="NAME", help="the run's name (made from dataset and model)"
    )
    add_fresh(run)
    add_take_over(run)
    run.add_argument("--replay", type=Path, metavar="FILE", help="take replies from a recording")
    add_settings(run)
    add_database(run)


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


def outside_candidates(files: Sequence[Path]) -> Mapping[str, Sequence[Prediction]]:
    """Other systems' predictions by instance.

    Raises:
        UsageError: a file cannot be read.
    """
    from data.predictions.predictions import read_predictions

    notes: list[str] = []
    found: dict[str, list[Prediction]] = {}
    for file in files:
        for instance_id, predictions in read_predictions(file, notes=notes).items():
            found.setdefault(instance_id, []).extend(predictions)
    tell(notes)
    return found
