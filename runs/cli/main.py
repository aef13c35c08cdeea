"""`troop`: finds the command, runs it, and turns errors into words and an exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import sys
from typing import TYPE_CHECKING, NoReturn

from data.errors import TroopError
from runs.cli.shared.streams import flush_output, open_streams
from runs.run import signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = {
    "demo": "repair a small library that ships with Troop, with recorded replies",
    "solve": "repair one issue, of your own repository or of a dataset",
    "run": "repair many instances of a dataset in one run",
    "ensemble": "choose between several systems' patches by the votes of tests",
    "data": "look at datasets: which ones Troop knows, what it reads, which images are here",
    "show": "look at runs, instances, votes and trajectories",
    "runs": "list, remove and rename runs",
    "select": "choose again in a stored run by other methods, and compare",
    "grade": "grade patches with a benchmark's own tests",
    "sql": "ask the database, read-only",
    "export": "write predictions, trajectories, a submission, or a recording",
    "check-predictions": "check whether each prediction in a file can be used",
    "check-submission": "check a leaderboard submission for all that a reviewer would reject",
    "config": "print all settings with their defaults, as a TOML file",
    "gc": "remove what Troop left behind: after a crash, or images that nothing uses",
    "doctor": "check what works here, and what must be fixed",
}

EPILOG = """\
Examples:
  troop demo
  troop solve --repo . --issue bug.md --model qwen3-coder --base-url http://localhost:8000/v1
  troop run --dataset verified --slice :50 --samples 10 --model gpt-4.1 --name first
  troop show first
  troop grade first --with sandbox
  troop select first
  troop sql "SELECT stage, cost_usd FROM cost_by_stage WHERE run = 'first'"

Exit codes (where a command has others, its help lists them):
  0    done
  1    no patch came out
  2    bad input
  3    sandbox: Docker, or an image, cannot be used
  4    the model server cannot be used
  5    the database or the disk cannot be read or written
  6    a patch came out, but tests do not support it (troop solve)
  130  stopped by Ctrl-C
  143  stopped by SIGTERM

After 3, 4, 5, 130 and 143 the same command continues where it stopped.
"""

_CONTINUES = "The same command continues where it stopped."


class _Parser(argparse.ArgumentParser):
    """Names the help to read when a flag is wrong."""

    def error(self, message: str) -> NoReturn:
        said = message[:1].upper() + message[1:]  # argparse begins with a small letter
        self.exit(2, f"{self.prog}: {said}\n  Read: {self.prog} --help\n")


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """The parser; only the module of `command` is imported, so that --help answers at once."""
    parser = _Parser(
        prog="troop",
        description="Repairs software by scaled sampling: many attempts at an issue, tests that"
        " vote on them, and one patch with its evidence.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, about in COMMANDS.items():
        module = (
            importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
            if name == command
            else None
        )
        described = (module.__doc__ or "") if module else about
        summary, _, epilog = described.partition("\n\n")
        sub = commands.add_parser(
            name,
            help=about,
            description=summary,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if module is not None:
            module.configure(sub)
            sub.set_defaults(run=module.run, parser=sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Without `argv` it is the process's own, with its streams."""
    if argv is not None:
        return _command(list(argv))
    open_streams()
    try:
        code = _guarded(lambda: _command(sys.argv[1:]))
    except SystemExit as stop:  # argparse, after --help or a wrong flag
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return _guarded(flush_output) or code


def _command(given: list[str]) -> int:
    named = next((word for word in given if not word.startswith("-")), None)
    args, unknown = build_parser(named if named in COMMANDS else None).parse_known_args(given)
    if unknown:
        getattr(args, "parser", build_parser(None)).error(f"not understood: {' '.join(unknown)}")
    if args.version:
        from runs.run.session import version

        print(f"troop {version()}")  # noqa: T201 - what was asked for
        return 0
    if args.command is None:
        build_parser(None).print_help()
        return 2
    return _guarded(lambda: args.run(args))


def _guarded(work: Callable[[], int | None]) -> int:
    """Do `work`; an error that a person can fix becomes words and an exit code."""
    try:
        with signals.answered():
            return work() or 0
    except TroopError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        _complain("Interrupted.", _CONTINUES)
        return signals.exit_code()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _complain(str(error), f"Free some space. {_CONTINUES}")
        return 5


def _complain(message: str, hint: str) -> None:
    from runs.words import visible

    sys.stderr.write(visible(f"troop: {message}\n" + (f"  {hint}\n" if hint else "")))
