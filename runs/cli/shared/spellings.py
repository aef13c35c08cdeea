"""Old spellings of flags: they still work, with one note each, but no help text has them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from runs.cli.shared.notes import tell

if TYPE_CHECKING:
    from collections.abc import Sequence


def once_called(parser: argparse._ActionsContainer, now: argparse.Action, *old: str) -> None:
    """Let `parser` take the flag `now` as `old`, too: flags, or the name of a positional."""
    if old[0].startswith("-"):
        parser.add_argument(*old, action=_Old, now=now, nargs=now.nargs)
    else:
        parser.add_argument(old[0], action=_Old, now=now, nargs="?")


class _Old(argparse.Action):
    """An old spelling, which does what the new flag does."""

    def __init__(
        self, option_strings: Sequence[str], dest: str, *, now: argparse.Action, nargs: Any
    ) -> None:
        super().__init__(
            option_strings,
            dest,
            nargs,
            default=argparse.SUPPRESS,
            type=now.type,  # type: ignore[arg-type]
            choices=now.choices,
            help=argparse.SUPPRESS,
            metavar=now.metavar,
        )
        self._now = now
        self._noted = False

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        old = option_string or f"{values}"
        new = self._now.option_strings[-1] if self._now.option_strings else self._now.metavar
        if not self._noted:
            tell([f"{old} is now {new}" + ("." if option_string else f" {values}")])
        self._noted = True
        self._now(parser, namespace, values, option_string)
