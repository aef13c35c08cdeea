"""List, remove and rename runs.

Examples:
  troop runs                       all runs, as `troop show` lists them
  troop runs rm first --dry-run    show what would be removed
  troop runs rm first second       remove them with their trajectories, votes and patch files
  troop runs rename first paper
  troop runs sweep                 remove texts that an earlier removal left

Grades stay: they belong to a patch, and any run may come to it again. Texts that other runs need
stay, too. While a process works on a run of the same database, all texts stay; the next removal or
`troop runs sweep` removes them.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.shared.flags import add_database
from runs.store.places import database_url

if TYPE_CHECKING:
    from pathlib import Path

    from runs.store.housekeeping import Removed

_PLAIN = argparse.RawDescriptionHelpFormatter


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's subcommands."""
    found = parser.add_subparsers(dest="what", metavar="WHAT", title="what")
    listing = found.add_parser("list", help="list all runs (the default)")
    remove = found.add_parser(
        "rm",
        help="remove runs with all that belongs to them",
        description="Remove runs with all that belongs to them; grades stay.",
        epilog="Examples:\n  troop runs rm first --dry-run\n  troop runs rm first second",
        formatter_class=_PLAIN,
    )
    remove.add_argument("runs", nargs="+", metavar="RUN", help="a run's name; last: the latest")
    rename = found.add_parser(
        "rename",
        help="give a run another name",
        description="Give a run another name.",
        epilog="Examples:\n  troop runs rename first paper",
        formatter_class=_PLAIN,
    )
    rename.add_argument("old", metavar="RUN", help="a run's name; last: the latest")
    rename.add_argument("new", metavar="NEW", help="its new name")
    sweep = found.add_parser("sweep", help="remove texts that an earlier removal left")
    for each in (remove, sweep):
        each.add_argument("--dry-run", action="store_true", help="only show it, remove nothing")
    remove.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_database(parser)
    for each in (listing, remove, rename, sweep):
        add_database(each, default=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    what = {"rm": _remove, "rename": _rename, "sweep": _sweep}.get(args.what, _list)
    return what(args)


def _list(args: argparse.Namespace) -> int:
    from runs.cli.shared.terminal import results
    from runs.show.lists import runs_list
    from runs.store.reading import Reader

    with Reader(database_url(args.db)) as reader:
        results().print(runs_list(reader))
    return 0


def _remove(args: argparse.Namespace) -> int:
    args.runs = _named(args, args.runs)
    if args.dry_run:
        _show(_removed(args, args.runs, dry_run=True), dry_run=True)
        return 0
    if not args.yes:
        _show(_removed(args, args.runs, dry_run=True), dry_run=True)
        _confirm()
    files = _patch_files(args)
    _show(_removed(args, args.runs, dry_run=False), dry_run=False)
    for file in files:
        file.unlink(missing_ok=True)
        _drop_if_empty(file.parent)
    return 0


def _sweep(args: argparse.Namespace) -> int:
    _show(_removed(args, [], dry_run=args.dry_run), dry_run=args.dry_run)
    return 0


def _rename(args: argparse.Namespace) -> int:
    from runs.store.housekeeping import rename_run

    args.runs = _named(args, [args.old])
    files = _patch_files(args)
    rename_run(database_url(args.db), args.runs[0], args.new)
    for file in files:
        folder = file.parent.with_name(args.new)
        folder.mkdir(parents=True, exist_ok=True)
        file.rename(folder / file.name)
        _drop_if_empty(file.parent)
    _say(f"The run {args.runs[0]} is now {args.new}.")
    return 0


def _named(args: argparse.Namespace, names: list[str]) -> list[str]:
    """The names, with that of the latest run for "last"."""
    from runs.store.reading import Reader

    with Reader(database_url(args.db)) as reader:
        return [reader.run(None).name if name == "last" else name for name in names]


def _removed(args: argparse.Namespace, names: list[str], *, dry_run: bool) -> Removed:
    from runs.store.housekeeping import remove_runs

    url = database_url(args.db)
    return remove_runs(url, names, dry_run=dry_run)


def _confirm() -> None:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is no terminal, or the answer is no.
    """
    if not sys.stdin.isatty():
        raise UsageError("Standard input is not a terminal.", hint="Give --yes, or --dry-run.")
    sys.stderr.write("Remove? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageError("Nothing was removed.")


def _show(removed: Removed, *, dry_run: bool) -> None:
    from runs.doctor.room import size
    from runs.words import counted

    verb = "would be removed" if dry_run else "removed"
    for each in removed.runs:
        parts = [
            counted(each.instances, "instance"),
            counted(each.calls, "call"),
            counted(each.executions, "execution"),
        ]
        _say(f"{each.name} {verb}: {', '.join(parts)}.")
    if removed.working:
        names = ", ".join(removed.working)
        _say(f"Texts stay while a process works on {names}. Later: troop runs sweep")
    else:
        _say(f"{counted(removed.texts, 'text')} {verb}, {size(removed.size)}; grades stay.")


def _patch_files(args: argparse.Namespace) -> list[Path]:
    """The files in the data folder that hold the patches of these runs, unchanged.

    Another database may have a run of the same name: its files are not ours.
    """
    from runs.cli.shared.ending import patch_file
    from runs.store.reading import Reader

    found = []
    with Reader(database_url(args.db)) as reader:
        for name in args.runs:
            for one in reader.instances(reader.run(name).name):
                file = patch_file(name, one.instance_id)
                patch = reader.text(one.patch).encode("utf-8", "surrogateescape")
                if patch and file.is_file() and file.read_bytes() == patch:
                    found.append(file)
    return found


def _drop_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _say(text: str) -> None:
    from runs.cli.shared.terminal import progress
    from runs.words import plain

    progress().print(plain(text), soft_wrap=True)
