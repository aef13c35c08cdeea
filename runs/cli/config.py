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
    """Add the command's flags."""
    parser.add_argument(
        "--markdown", action="store_true", help="as a page of documentation: docs/settings.md"
    )


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.run.settings_help import settings_as_markdown, settings_as_toml

    sys.stdout.write(settings_as_markdown() if args.markdown else settings_as_toml())
    return 0
