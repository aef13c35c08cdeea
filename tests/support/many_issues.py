"""`troop run` on one repository with many issues: what `benchmarks/ownership.py` starts and kills.

python -m benchmarks.parts.ownership_worker REPOSITORY COUNT run --dataset soak …
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runs.cli import run as command
from runs.cli.main import main
from runs.run.own import own_instance
from tests.support.scripted_model import ISSUE

if TYPE_CHECKING:
    from data.instances.instance import Instance


def instances(repository: Path, count: int) -> list[Instance]:
    """The same code, with issues that differ by a number."""
    found = []
    for number in range(1, count + 1):
        one, _ = own_instance(repository, f"{ISSUE}\n\nThis is issue number {number}.", local=True)
        found.append(replace(one, instance_id=f"calc-{number}"))
    return found


if __name__ == "__main__":
    repository, count, *words = sys.argv[1:]
    given = instances(Path(repository), int(count))
    command.picked_instances = lambda args: given  # type: ignore[attr-defined]
    sys.exit(main(words))
