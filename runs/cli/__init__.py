"""The command line: one module for each command, imported when it is given."""

from runs.cli.main import main

__all__ = ["main"]
