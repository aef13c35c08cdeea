r"""Write a run for other programs: predictions, trajectories, a submission, or a recording.

Formats:
  preds        preds.json and all_preds.jsonl, for SWE-bench's harness
  pro          pro.json, for SWE-bench Pro's evaluation script
  multi-swe    multi-swe.jsonl, for Multi-SWE-bench's evaluation script
  mini         mini/: trajectories as mini-swe-agent 2 writes them, for `mini-extra inspector`
  atif         atif/: trajectories in the Agent Trajectory Interchange Format 1.7 (Harbor)
  leaderboard  evaluation/SPLIT/DATE_NAME/: a submission; check it with `troop check-submission`

Examples:
  troop export first --folder out/                  out/preds.json and out/all_preds.jsonl
  troop export first --folder out/ --clean          without scratch files such as reproduce_issue.py
  python -m swebench.harness.run_evaluation -d SWE-bench/SWE-bench_Lite -p out/preds.json -id first
  troop export first --folder out/ --format mini,atif
  troop export first django__django-11099 --folder out/ --format atif
  troop export first --folder out/ --clean --format leaderboard \
      --system-name "Troop + gpt-4.1" --authors "A. Person" --org "A Lab" \
      --url https://… --report https://… --open-model no
  troop export last --recording replies.jsonl       for: troop solve … --replay replies.jsonl

Exit codes:
  0  something was written
  1  nothing to write: no instance has ended
  2  bad input
  5  the database or the disk
"""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.writing import check_place
from runs.cli.shared.flags import add_database, add_instances, add_run
from runs.cli.shared.notes import tell
from runs.cli.shared.outputs import check_output
from runs.cli.shared.spellings import once_called
from runs.store.places import database_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runs.export.forms import Form, Order
    from runs.leaderboard.submission import About
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    add_run(parser, "export_run")
    add_instances(parser)
    folder = parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="the folder to write into (default: ./RUN)"
    )
    once_called(parser, folder, "-o", "--output")
    parser.add_argument(
        "-f",
        "--format",
        default="preds",
        metavar="F[,F…]",
        help="format: one or more of those below (default: preds)",
    )
    parser.add_argument(
        "--model-name",
        metavar="NAME",
        help="the model_name_or_path of predictions (default: troop-MODEL)",
    )
    parser.add_argument(
        "--recording",
        type=Path,
        metavar="FILE",
        help="write only a recording: all replies of one instance",
    )
    parser.add_argument("--instance", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument(
        "--clean",
        action="store_true",
        help="leave scratch files, such as reproduce.py and *.orig, out of patches",
    )
    parser.add_argument(
        "--clean-tests", action="store_true", help="leave test files out of patches"
    )
    _add_leaderboard(parser)
    add_database(parser)


def _add_leaderboard(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "leaderboard", "What is not given is written as TODO, for a person to fill in."
    )
    group.add_argument(
        "--logs",
        type=Path,
        metavar="DIR",
        help="the harness's logs/run_evaluation/RUN_ID/MODEL (default: those that `troop grade`"
        " has stored)",
    )
    group.add_argument(
        "--system-name", default="", metavar="NAME", help="the system's name in the table"
    )
    group.add_argument("--authors", default="", metavar="NAMES", help="who made it")
    group.add_argument(
        "--org", default="", metavar="NAME", help="a university, laboratory or company"
    )
    group.add_argument("--url", default="", metavar="URL", help="the system's site")
    group.add_argument("--report", default="", metavar="URL", help="a paper or technical report")
    group.add_argument("--logo", default="", metavar="URL", help="a picture for the table")
    group.add_argument(
        "--open-model", choices=("yes", "no"), help="whether the model's weights are open"
    )
    split = group.add_argument(
        "--leaderboard-split",
        default="",
        metavar="SPLIT",
        help="its split: lite, verified, test, …",
    )
    once_called(group, split, "--split")
    group.add_argument(
        "--date", default="", metavar="YYYYMMDD", help="its date (default: when the run ended)"
    )


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.store.reading import Reader

    check_output(args, "folder", folder=True)
    check_output(args, "recording")
    if args.instance:
        tell(["--instance ID is now INSTANCE, after RUN."])
        args.instances = [*args.instances, *args.instance]
    with Reader(database_url(args.db)) as reader:
        found = reader.run(None if args.export_run == "last" else args.export_run)
        if args.recording is not None:
            return _record(args, reader, found)
        return _export(args, reader, found)


def _record(args: argparse.Namespace, reader: Reader, found: RunRecord) -> int:
    from runs.export.recording import export_recording
    from runs.words import counted

    names = args.instances
    if len(names) > 1:
        raise UsageError("A recording holds one instance.", hint="Name one instance.")
    instance = reader.instance(found.name, names[0] if names else None)
    count = export_recording(reader.story(instance), args.recording)
    _say(f"{counted(count, 'reply', 'replies')}: {args.recording}")
    return 0 if count else 1


def _export(args: argparse.Namespace, reader: Reader, found: RunRecord) -> int:
    from runs.export.forms import pick_forms, write_forms
    from runs.words import counted

    order = _order(args, reader, found)
    names = dict.fromkeys(name.strip() for name in args.format.split(","))
    forms = pick_forms(_forms(args, reader, order), list(names))
    for note in order.patches.notes:
        _say(note)
    with _bar(len(order.instances)) as on_instance:
        said = write_forms(reader, order, forms, on_instance)
    for line in said:
        _say(line)
    if unfinished := len(order.instances) - len(order.patches.diffs):
        _say(f"Left out, because they have not ended: {counted(unfinished, 'instance')}.")
    return 0 if order.patches.diffs else 1


def _order(args: argparse.Namespace, reader: Reader, found: RunRecord) -> Order:
    from runs.export.forms import Order
    from runs.export.patches import chosen_patches

    folder = args.folder or Path(found.name)
    check_place(folder, folder=True)
    instances = _instances(reader, found.name, args.instances)
    patches = chosen_patches(
        reader,
        found.name,
        only={one.instance_id for one in instances},
        clean=args.clean,
        tests=args.clean_tests,
    )
    model_name = args.model_name or f"troop-{found.model}"
    return Order(found, instances, patches, folder, model_name)


def _forms(args: argparse.Namespace, reader: Reader, order: Order) -> dict[str, Form]:
    """All forms by name.

    Raises:
        UsageError: --logs has none of the instances.
    """
    from runs.export.forms import FORMS, Stories
    from runs.leaderboard.form import SubmissionWriter
    from runs.leaderboard.logs import logs_in, stored_logs
    from runs.leaderboard.submission import Submission

    run = order.run.name
    submission = Submission(order.run, _about(args), reader.systems(run))
    if args.logs:
        logs = logs_in(args.logs, {one.instance_id for one in order.instances})
    else:
        logs = stored_logs(reader, run, order.patches.diffs)
    begin = partial(SubmissionWriter, submission=submission, logs=logs)
    return {**FORMS, "leaderboard": Stories(begin)}


def _about(args: argparse.Namespace) -> About:
    from runs.leaderboard.submission import About

    return About(
        system_name=args.system_name,
        authors=args.authors,
        org=args.org,
        site=args.url,
        report=args.report,
        logo=args.logo,
        open_model={"yes": True, "no": False, None: None}[args.open_model],
        split=args.leaderboard_split,
        date=args.date,
    )


def _instances(reader: Reader, run: str, names: list[str]) -> Sequence[InstanceRecord]:
    if names:
        return [reader.instance(run, name) for name in dict.fromkeys(names)]
    return reader.instances(run)


@contextmanager
def _bar(count: int) -> Iterator[Callable[[str], None]]:
    """A bar on standard error, if that is a terminal; call it with each instance that begins."""
    from rich.progress import Progress

    from runs.cli.shared.terminal import progress
    from runs.words import visible

    console = progress()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("export", total=count, visible=False)
        begun = -1

        def on_instance(name: str) -> None:
            nonlocal begun
            begun += 1
            bar.update(task, completed=begun, description=visible(name), visible=True)

        yield on_instance


def _say(text: str) -> None:
    from runs.cli.shared.terminal import progress
    from runs.words import plain

    progress().print(plain(text), soft_wrap=True)
