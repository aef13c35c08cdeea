"""How many honest candidates are flagged, on the real candidates of the kit.

It reads candidates.jsonl of a kit: one candidate a line, with `instance_id`, `model_patch` and
`resolved_here`. Each flagged candidate is listed with its reasons. A right one that is flagged
loses its votes, so there should be none.

    python benchmarks/flags.py ../shared/kit/candidates.jsonl
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from selection.flags import flags_of

DEFAULT = Path(__file__).parents[2] / "shared/kit/candidates.jsonl"


def main() -> int:
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    if not place.is_file():
        print(f"There is no file {place}.")
        return 2
    rows = [json.loads(line) for line in place.read_text("utf-8").splitlines()]
    began, counts = time.perf_counter(), {True: [0, 0], False: [0, 0]}
    for row in rows:
        found = flags_of(row["model_patch"] or "")
        count = counts[bool(row["resolved_here"])]
        count[0] += 1
        count[1] += bool(found)
        for flag in found:
            print(f"{row['instance_id']}  {row['system']}  {flag}")
    seconds = time.perf_counter() - began
    print("| candidates | all | flagged |\n|---|---|---|")
    for right, (every, flagged) in counts.items():
        print(f"| {'right' if right else 'wrong'} | {every} | {flagged} |")
    print(f"{1000 * seconds / len(rows):.2f} ms each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
