"""The launcher of the command `troop`.

In the installed distribution this file is `troop/__main__.py` (hatch_build.py).
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from runs.run.signals import answer_signals

    answer_signals()  # before the slow imports, and until the process has ended
    from runs.cli import main as command_line

    sys.exit(command_line())


if __name__ == "__main__":
    main()
