"""Check what works here, what could work better, and what must be fixed, and say how.

It looks at this machine, the Docker engine and its walls, and the database; also at the model
server and a dataset's images, if they are named. It changes nothing: a container that it tries is
removed.

Examples:
  troop doctor
  troop doctor --model qwen3-coder --base-url http://localhost:8000/v1 --call
  troop doctor --dataset verified --instance django__django-11099
  troop doctor --json | jq -r '.findings[] | select(.mark == "bad") | .hint'

Exit codes (of several, the highest; what only could work better, marked !, does not count):
  0  nothing must be fixed
  1  something else must be fixed
  2  bad input
  3  the sandbox must be fixed
  4  the model server must be fixed
  5  the database must be fixed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.shared.flags import (
    add_database,
    add_dataset,
    add_json,
    add_model,
    add_sandbox,
    add_settings,
    configuration,
)
from runs.cli.shared.streams import write_json
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runs.doctor.check import Finding

_SIGNS = {"fine": "✔", "less": "!", "bad": "✘", "unknown": "-"}
_STYLES = {"fine": "green", "less": "yellow", "bad": "bold red", "unknown": "dim"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    add_json(parser)
    model = parser.add_argument_group("model")
    add_model(model)
    model.add_argument("--call", action="store_true", help="ask the model for one short reply")
    what = parser.add_argument_group("images")
    add_dataset(what)
    what.add_argument("--instance", metavar="ID", help="the id of one of the dataset's instances")
    settings = parser.add_argument_group("settings")
    add_sandbox(settings)
    add_settings(settings)
    parser.set_defaults(replay=None)
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    if args.dataset is None and (args.instance or args.split):
        raise UsageError("No dataset is named.", hint="Give --dataset, too.")
    from runs.doctor.check import exit_code
    from runs.doctor.examination import Patient, examination
    from runs.doctor.images import Wanted

    wanted = Wanted(args.dataset, args.split, args.instance) if args.dataset else None
    config = configuration(args)
    found = examination(Patient(config, database_url(args.db), wanted, call=args.call))
    if args.json:
        _write_json(found)
    else:
        _show(found)
    return exit_code(found)


def _write_json(found: Sequence[Finding]) -> None:
    from runs.doctor.check import Mark, exit_code

    rows = [
        {
            "name": each.name,
            "mark": str(each.mark),
            "text": each.text,
            "hint": each.hint,
            "exit_code": each.code if each.mark is Mark.BAD else 0,
        }
        for each in found
    ]
    answer = {"findings": rows, "exit_code": exit_code(found)}
    write_json(answer)


def _show(found: Sequence[Finding]) -> None:
    """One line each, with the hint below what is not fine."""
    from rich.text import Text

    from runs.cli.shared.terminal import results
    from runs.words import plain

    console = results()
    for each in found:
        style = _STYLES[each.mark]
        line = Text.assemble((_SIGNS[each.mark], style), " ", plain(each.text))
        console.print(line, soft_wrap=True)
        if each.hint:
            console.print(Text.assemble("    ", plain(each.hint, "dim")), soft_wrap=True)
    console.print(plain(summary(found)), soft_wrap=True)


def summary(found: Sequence[Finding]) -> str:
    """How many must be fixed, and how many could work better."""
    from runs.doctor.check import Mark

    counts = {mark: sum(each.mark is mark for each in found) for mark in Mark}
    must, could = counts[Mark.BAD], counts[Mark.LESS]
    if not must and not could:
        return "All is well."
    told = f"{must} must be fixed" if must else "Nothing must be fixed"
    return f"{told}; {could} could work better." if could else f"{told}."
