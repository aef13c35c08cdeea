"""Print all settings, with their defaults and meanings, as a TOML file that you can edit.

Examples:
  troop config > troop.toml
  troop run --config troop.toml --dataset verified --model gpt-4.1
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    parser.add_argument(
        "--markdown", action="store_true", help="print them as Markdown, as in docs/settings.md"
    )


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.run.settings_help import settings_as_markdown, settings_as_toml

    sys.stdout.write(settings_as_markdown() if args.markdown else settings_as_toml())
    return 0
