"""The launcher of the command `troop`.

In the installed distribution this file is `troop/__main__.py`, and the packages
lie beside it in `_packages`, so that their plain names collide with nobody's.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the command line and exit with its code."""
    packages = Path(__file__).resolve().parent / "_packages"
    if packages.is_dir():
        sys.path.insert(0, str(packages))
    from runs.cli import main as command_line

    sys.exit(command_line())


if __name__ == "__main__":
    main()
