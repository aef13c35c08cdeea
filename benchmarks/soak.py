"""Runs ten thousand executions in a row, and shows what grows in the engine and in Troop.

Each execution writes files, starts a process that would outlive it, and prints. A hundred patches
take turns. The machine is measured at the beginning, after the first tenth (when everything that is
kept for reuse exists), and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.instances.instance import Environment, Instance
from data.patches.patch import FileChange, Patch
from sandbox.docker import DockerProvider
from sandbox.docker.hostimage import host_python_image
from sandbox.protocol import Ending, Limits, Script

SCRIPT = """
import os, subprocess
for number in range(20):
    open(f"/tmp/{number}", "wb").write(bytes(50_000))
subprocess.Popen(["sleep", "1000"])
print(open("/usr/local/patched").read())
"""
LIMITS = Limits(timeout_s=60, memory_mb=512, disk_mb=256)


def facts() -> dict[str, int]:
    """What could grow in the machine, the engine and this process."""
    engine = subprocess.check_output(["pgrep", "-o", "-x", "dockerd"], text=True).strip()
    disk = os.statvfs("/")
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return {
        "processes": sum(path.name.isdecimal() for path in Path("/proc").iterdir()),
        "mounts": Path("/proc/self/mounts").read_text().count("\n"),
        "disk used, MB": (disk.f_blocks - disk.f_bfree) * disk.f_frsize >> 20,
        "memory available, MB": int(memory["MemAvailable"].split()[0]) >> 10,
        "kernel memory (slabs), MB": int(memory["Slab"].split()[0]) >> 10,
        "engine: memory, MB": _resident(engine) >> 10,
        "engine: descriptors": _entries(f"/proc/{engine}/fd"),
        "Troop: memory, MB": _resident("self") >> 10,
        "Troop: descriptors": _entries("/proc/self/fd"),
        "Troop: threads": _entries("/proc/self/task"),
    }


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _resident(process: str) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def soak(count: int, workers: int) -> tuple[list[dict[str, int]], float]:
    async with DockerProvider() as provider:
        environment = Environment(image=host_python_image(), repo_dir="/usr/local")
        sandbox = await provider.open(Instance("soak", "", "", "", environment), run="soak")
        patches = [Patch.of("", (FileChange("patched", b"%d" % n),)) for n in range(100)]
        printed = [f"{n}\n" for n in range(100)]

        async def work(numbers: range) -> None:
            for number in numbers:
                text = f"{SCRIPT}# {number}"
                which = number // workers % len(patches)
                execution = await sandbox.execute(Script(text), patches[which], LIMITS)
                seen = (execution.ending, execution.output)
                if seen != (Ending.EXITED, printed[which]):
                    raise RuntimeError(f"execution {number}: {execution}")

        async def all_of(numbers: range) -> None:
            parts = (numbers[worker::workers] for worker in range(workers))
            await asyncio.gather(*map(work, parts))

        warm_up = count // 10
        seen = [facts()]
        await all_of(range(warm_up))
        seen.append(facts())
        began = time.monotonic()
        await all_of(range(warm_up, count))
        took = (time.monotonic() - began) / (count - warm_up)
        seen.append(facts())
    seen.append(facts())
    return seen, took


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    seen, took = asyncio.run(soak(given.count, given.workers))
    print(f"{given.count} executions, {given.workers} at a time, {1 / took:.0f} per second\n")
    print("| | before | after a tenth | after all | provider closed |\n|---|---|---|---|---|")
    for name in seen[0]:
        print(f"| {name} | " + " | ".join(f"{at[name]:,}" for at in seen) + " |")


if __name__ == "__main__":
    main()
