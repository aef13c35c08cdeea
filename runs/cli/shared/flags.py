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
    "where instances come from: a short name such as lite, full, verified or pro (`troop data"
    " list`), a name on the Hugging Face hub, a JSONL, JSON or parquet file, or a folder; NAME:FILE"
    " says which dataset a file belongs to"
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
        help="the database: a SQLite file or a SQLAlchemy URL (default: $TROOP_DB, else troop.db in"
        " your data folder, such as ~/.local/share/troop)",
    )


def add_dataset(group: Group, *, required: bool = False, default: str = "") -> argparse.Action:
    """--dataset and --split; `default`: the dataset that is meant where none is given."""
    said = DATASET_HELP + (f" (default: {default})" if default else "")
    dataset = group.add_argument("--dataset", required=required, metavar="DATASET", help=said)
    group.add_argument(
        "--split", metavar="SPLIT", help="a part of the dataset (default: see `troop data list`)"
    )
    return dataset


def add_run(
    parser: Group, dest: str, *, optional: bool = False, latest: bool = True
) -> argparse.Action:
    """RUN, the first positional; `latest`: "last" may be given, too."""
    said = "a run's name" + (', or "last" for the run that was begun last' if latest else "")
    return parser.add_argument(dest, nargs="?" if optional else None, metavar="RUN", help=said)


def add_instances(parser: Group) -> argparse.Action:
    """INSTANCE, any number of them."""
    return parser.add_argument(
        "instances",
        nargs="*",
        default=[],
        metavar="INSTANCE",
        help="an instance's id (default: all; several may be given)",
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
        help="grades of the candidates, to measure the choices by (default: those that `troop"
        " grade` has stored)",
    )
    once_called(parser, grades, "--oracle")


def add_json(parser: Group) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def add_parallel(parser: Group, what: str, *old: str) -> None:
    """--parallel: how many are worked on at once."""
    parallel = parser.add_argument(
        "--parallel", type=int, metavar="N", help=f"how many at once: {what}"
    )
    if old:
        once_called(parser, parallel, *old)


def add_patch_only(parser: Group) -> argparse.Action:
    """--patch-only."""
    return parser.add_argument(
        "--patch-only", action="store_true", help="print the chosen patch and nothing else"
    )


def add_sandbox(parser: Group, default: str | None = None) -> None:
    """--sandbox."""
    parser.add_argument(
        "--sandbox",
        choices=("docker", "local", "auto"),
        default=default,
        help="where scripts run: docker; local, on this machine, only lightly walled off; or auto,"
        f" docker if an engine answers, else local (default: {default or 'docker'})",
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
        help="take instances at once from other processes, even from living ones (default: only"
        " from processes that are gone)",
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
        "--base-url",
        metavar="URL",
        help="the URL of an OpenAI-compatible server, usually ending in /v1",
    )
    if context:
        parser.add_argument(
            "--context-model", metavar="M", help="a cheaper model to read files (default: --model)"
        )


def add_settings(parser: Group) -> None:
    """--config and --set."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a TOML file of settings (`troop config`)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set any setting, for example --set selection.votes=paper; may be repeated",
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
            help="independent attempts at each instance; a stored run can be given more"
            " (default: 10)",
        )
    work.add_argument(
        "--context-tokens",
        type=int,
        metavar="N",
        help="size of the context, in tokens (default: 128000)",
    )
    work.add_argument(
        "--prefilter",
        type=int,
        metavar="N",
        help="let the model read only the N files that match the issue best (default: all)",
    )
    work.add_argument(
        "--timeout",
        type=float,
        metavar="S",
        help="time limit for one script, in seconds (default: 100)",
    )
    add_sandbox(work)
    if writing:
        add_candidates(work)
    run = parser.add_argument_group("run")
    run.add_argument(
        "--name",
        default="",
        metavar="NAME",
        help="the run's name (default: made from dataset and model)",
    )
    add_fresh(run)
    add_take_over(run)
    run.add_argument(
        "--replay", type=Path, metavar="FILE", help="take replies from a recorded file"
    )
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
