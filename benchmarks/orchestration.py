"""Measures what Troop itself costs beside the model and the scripts: time, CPU, memory and disk.

A mock server in another process answers after a fixed time, a fixed sleep stands for each
execution, and the context is large. The bare `openai` client sends the same requests in the same
run. What Troop needs beyond the CPU time of that client is Troop's own cost.

    .venv/bin/python benchmarks/orchestration.py [--instances 10] [--samples 10]

The work is that of the "editing stage" in the figures of CodeMonkeys: N samples with testing and
editing trajectories on one shared context, and no files to rank.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from openai import AsyncOpenAI
from rich.console import Console

from data.codebases.reader import RawFile, codebase_from_files
from data.instances.instance import Environment, Instance
from runs.run.config import load_config
from runs.run.session import Job, carry_out
from runs.show.live import LiveDisplay
from runs.store.database import sqlite_url
from runs.store.reading import Reader
from sandbox.protocol import Ending, Execution

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai.types.chat import ChatCompletionUserMessageParam

    from data.codebases.codebase import Codebase

ROOT = Path(__file__).resolve().parents[1]
LINE = "    value = compute(value, offset)  # keeps the running total in step with the ledger\n"
TURNS = 5
"""Model calls in a row for one sample: relevance, script, done, edit, done."""

SCRIPT = '''
def answer(body):
    messages = [m["content"] for m in body["messages"]]
    turn = len(messages) // 2 - 1
    if "# The file\\n" in messages[1]:
        return "<relevant>yes</relevant><summary>It is the one.</summary>"
    if turn:
        return "<done/>"
    if "write a test script" in messages[1]:
        script = "<test_script>\\nprint({})\\n</test_script>"
        return [script.format(k) for k in range(body.get("n") or 1)]
    return """<edit path="ledger.py">
<<<<<<< SEARCH
def first(value, offset):
=======
def first(value, offset=0):
>>>>>>> REPLACE
</edit>"""
'''


class SleepingSandbox:
    """A sandbox whose executions only take time."""

    kind = "stub"

    def __init__(self, source: str, seconds: float) -> None:
        self._source, self._seconds = source, seconds

    def describe(self) -> str:
        return f"a stub that sleeps {self._seconds} s"

    def slots(self, limits: object) -> int:
        return os.cpu_count() or 1

    def expect(self, instances: object) -> None:
        return None

    async def open(
        self, instance: Instance, *, run: str, tell: Callable[[str], None] | None = None
    ) -> SleepingSandbox:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ending: object) -> None:
        return None

    async def close(self) -> None:
        return None

    async def read_codebase(self, largest: int = 0) -> Codebase:
        return codebase_from_files([RawFile("ledger.py", self._source.encode())])

    async def execute(self, script: object, patch: object, limits: object) -> Execution:
        await asyncio.sleep(self._seconds)
        code = 0 if patch else 2
        return Execution(Ending.EXITED, code, "ran\n", 4, self._seconds)


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def serve(folder: Path, latency: float) -> tuple[subprocess.Popen[str], str]:
    script = folder / "answers.py"
    script.write_text(SCRIPT)
    words = ["--log", str(folder / "log"), "--script", str(script), "--delay", str(latency)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.model_server", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


async def bare(url: str, prompt: str, calls: int) -> float:
    """CPU seconds for one call of the bare client with this prompt."""
    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        message: ChatCompletionUserMessageParam = {"role": "user", "content": prompt}

        async def one() -> None:
            await client.chat.completions.create(model="mock", messages=[message, message])

        message["content"] = prompt[: len(prompt) // 2]
        await one()
        began = cpu()
        await asyncio.gather(*(one() for _ in range(calls)))
        return (cpu() - began) / calls


async def measure(args: argparse.Namespace, folder: Path, url: str) -> None:
    source = "def first(value, offset):\n" + LINE * (args.context_kb * 1000 // len(LINE))
    floor = await bare(url, "# The issue\n" + source, 40)
    job = Job(
        dataset="benchmark",
        instances=[
            Instance(f"ledger-{n}", "ledger", "0" * 40, "It is wrong.", Environment(image="stub"))
            for n in range(args.instances)
        ],
        config=load_config(
            None,
            {
                "model.name": "mock",
                "model.base_url": url,
                "samples.count": args.samples,
                "context.part_tokens": 1_000_000,
                "context.tokens": 1_000_000,
                "batch.instances": args.instances,
                "batch.model_calls": args.instances * args.samples,
                "batch.executions": args.instances * args.samples,
            },
        ),
        database=sqlite_url(folder / "troop.db"),
    )
    began, used = time.monotonic(), cpu()
    with Path("/dev/null").open("w") as nowhere:
        finished = await carry_out(
            job,
            LiveDisplay(Console(file=nowhere), quiet=True),
            SleepingSandbox(source, args.run_s),
        )
    wall, used = time.monotonic() - began, cpu() - used
    report(args, folder, finished.run, wall, used, floor)


def report(
    args: argparse.Namespace, folder: Path, run: str, wall: float, used: float, floor: float
) -> None:
    ideal = TURNS * args.latency + 2 * args.run_s
    trajectories = 2 * args.instances * args.samples
    with Reader(sqlite_url(folder / "troop.db")) as reader:
        found = reader.run(run)
    calls, patched = found.calls, found.patched
    disk = sum(file.stat().st_size for file in folder.glob("troop.db*"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{args.instances} instances x {args.samples} samples, {args.context_kb} KB context")
    print(f"patched                 {patched}/{args.instances}, {calls} calls")
    print(f"time taken / ideal      {wall:.1f} s / {ideal:.1f} s = {wall / ideal:.2f}")
    print(f"CPU per trajectory      {used / trajectories * 1000:.1f} ms")
    print(
        f"CPU per call            {used / calls * 1000:.1f} ms, bare client {floor * 1000:.1f} ms"
    )
    print(f"  = {used / calls / floor:.2f} x the bare client")
    print(f"peak memory             {peak:.0f} MB")
    print(f"database per trajectory {disk / trajectories / 1000:.1f} KB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--run-s", type=float, default=0.2)
    parser.add_argument("--context-kb", type=int, default=449)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server, url = serve(folder, args.latency)
        try:
            asyncio.run(measure(args, folder, url))
        finally:
            server.kill()
            server.communicate()


if __name__ == "__main__":
    main()
