"""Print all settings with their defaults and meanings, as a TOML file to begin your own from.

Examples:
  troop config > troop.toml
  troop run --config troop.toml --dataset verified
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags: it has none."""


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - every command has this form
    """Carry the command out; its exit code."""
    from runs.run.settings_help import settings_as_toml

    sys.stdout.write(settings_as_toml())
    return 0
