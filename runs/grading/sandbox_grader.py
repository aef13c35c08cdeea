"""Troop's own sandbox as a grader: runs an instance's evaluation script on its image, offline."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.errors import SandboxError, TroopError
from data.patches.patch import UNEDITED
from runs.grading.nouns import Grade, GradeOutcome, GradingTask
from runs.grading.parsers import PARSERS
from runs.grading.prevented import why_prevented
from runs.grading.resolution import BEGIN, resolution
from runs.grading.script import (
    LOG_MB,
    OutputMarks,
    command_of,
    grading_script,
    read_result,
    runner_output,
)
from sandbox.kinds.choose import choose_provider
from sandbox.protocol import Ending, Limits, Script

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from data.instances.grading import GradingSpec
    from data.instances.instance import Instance
    from runs.grading.resolution import Resolution, RunnerOutput
    from runs.grading.script import ScriptResult
    from sandbox.protocol import Execution, Sandbox, SandboxProvider

_MARGIN_S = 60.0
"""Seconds for applying a patch and writing the log, in addition to the tests."""
_KILLED = 137
_STOPPED = {124, _KILLED}
"""The exit codes of `timeout` when it stops a command."""


@dataclass(slots=True)
class _Shared:
    """One instance's sandbox, open while any of its patches is being graded."""

    left: int
    opening: asyncio.Lock
    sandbox: Sandbox | None = None


class SandboxGrader:
    """A `runs.grading.nouns.Grader` that grades in Docker, `workers` patches at a time."""

    name = "sandbox"

    def __init__(
        self,
        version: str,
        *,
        workers: int,
        timeout_s: float,
        label: str,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """`version` is Troop's; `label` marks containers with what they are for.

        `tell` gets what is waited for, such as an image being pulled, from any thread.
        """
        self._tell = tell
        self.version = version
        self.timeout_s = timeout_s
        self._workers = workers
        self._label = label
        self._limits = Limits(
            timeout_s=timeout_s + _MARGIN_S,
            memory_mb=8192,
            processes=4096,
            disk_mb=8192,
            file_mb=4096,
            output_chars=2 * LOG_MB * 2**20,
            output_mb=2 * LOG_MB,
        )

    async def grade(self, tasks: Sequence[GradingTask]) -> AsyncGenerator[Grade, None]:
        """Grade each task once; see `Grader.grade`."""
        fit = []
        for task in tasks:
            why = why_not(task.spec)
            if why:
                yield Grade(task, GradeOutcome.CANNOT_GRADE, why)
            else:
                fit.append(task)
        if not fit:
            return
        provider = await choose_provider("docker", pristine=True)
        done: asyncio.Queue[Grade] = asyncio.Queue()
        async with provider:
            working = asyncio.create_task(self._work(provider, fit, done))
            try:
                for _ in fit:
                    yield await _next(done, working)
                await working
            finally:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)

    async def _work(
        self, provider: SandboxProvider, tasks: Sequence[GradingTask], done: asyncio.Queue[Grade]
    ) -> None:
        ordered = sorted(tasks, key=lambda task: task.instance_id)
        counts = Counter(task.instance_id for task in ordered)
        shared = {name: _Shared(left, asyncio.Lock()) for name, left in counts.items()}
        provider.expect([_bare(t.spec) for t in {t.instance_id: t for t in ordered}.values()])
        waiting = iter(ordered)

        async def worker() -> None:
            for task in waiting:
                done.put_nowait(await self._graded(provider, task, shared[task.instance_id]))

        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(worker())

    async def _graded(self, provider: SandboxProvider, task: GradingTask, shared: _Shared) -> Grade:
        begun = time.monotonic()
        try:
            async with shared.opening:
                if shared.sandbox is None:
                    shared.sandbox = await provider.open(
                        _bare(task.spec), run=self._label, tell=self._tell
                    )
            grade = await self._evaluated(shared.sandbox, task)
        except TroopError as error:
            grade = Grade(task, GradeOutcome.ERROR, f"{error.message} {error.hint}".strip())
        shared.left -= 1
        if not shared.left and shared.sandbox is not None:
            await _close(shared.sandbox)
        return replace(grade, duration_s=time.monotonic() - begun)

    async def _evaluated(self, sandbox: Sandbox, task: GradingTask) -> Grade:
        marks = OutputMarks.new()
        text = grading_script(task.spec, task.diff, self.timeout_s, marks)
        script = Script(text, interpreter="bash", suffix=".sh")
        execution = await sandbox.execute(script, UNEDITED, self._limits)
        told = read_result(execution.output)
        if told is None:
            return Grade(task, GradeOutcome.ERROR, _why(execution), log=execution.output)
        if not told.applied:
            return _refused(task, told)
        if told.code in _STOPPED and execution.duration_s >= self.timeout_s:
            return _stopped(task, told, self.timeout_s)
        found = resolution(task.spec, told.log, _run(task.spec, told.log, marks))
        why = "" if found.resolved else _why_no_verdict(told, execution)
        if why:
            return Grade(task, GradeOutcome.ERROR, why, log=told.log)
        return _resolved(task, found, told.log)


def why_not(spec: GradingSpec) -> str:
    """Why an instance cannot be graded here; "" if it can."""
    if not (spec.eval_script or spec.test_cmd):
        return "its row has neither eval_script nor test_cmd"
    if spec.log_parser not in PARSERS:
        named = f"no parser of Troop's is called {spec.log_parser}"
        return named if spec.log_parser else "its row names no log_parser"
    if not spec.instance.environment.image:
        return "its row names no image"
    return ""


def _run(spec: GradingSpec, log: str, marks: OutputMarks) -> RunnerOutput | None:
    """What the test command printed; None: it was not begun, or did not end."""
    run = runner_output(log, marks)
    return replace(run, command=command_of(spec)) if run else None


def _resolved(task: GradingTask, found: Resolution, log: str) -> Grade:
    return Grade(
        task,
        GradeOutcome.RESOLVED if found.resolved else GradeOutcome.UNRESOLVED,
        found.why,
        found.counts("FAIL_TO_PASS"),
        found.counts("PASS_TO_PASS"),
        found.report(),
        log,
    )


def _refused(task: GradingTask, told: ScriptResult) -> Grade:
    why = why_prevented(told.log)
    outcome = GradeOutcome.ERROR if why else GradeOutcome.APPLY_FAILED
    return Grade(
        task, outcome, f"the patch could not be applied here: {why}" if why else "", log=told.log
    )


def _stopped(task: GradingTask, told: ScriptResult, after_s: float) -> Grade:
    why = f"stopped after {after_s:.0f} s"
    if not told.starved(after_s):
        return Grade(task, GradeOutcome.TIMEOUT, why, log=told.log)
    why += f", while {told.load:.0f} processes wanted the machine's {told.cores} processors"
    return Grade(task, GradeOutcome.ERROR, why, log=told.log)


def _why_no_verdict(told: ScriptResult, execution: Execution) -> str:
    """Why tests that did not pass say nothing of the patch; "" if they do."""
    if execution.ending is not Ending.EXITED:
        return _why(execution)
    if told.code == _KILLED:
        return "the tests were killed, perhaps because memory ran out"
    if told.cut:
        return f"the tests printed more than {LOG_MB} MB, of which the end is lost"
    return why_prevented(told.log.partition(BEGIN)[0])


def _why(execution: Execution) -> str:
    if execution.ending is not Ending.EXITED:
        return f"ended by: {execution.ending.replace('_', ' ')}"
    code = f"the script around the tests failed with exit code {execution.exit_code}"
    return ": ".join(filter(None, [code, why_prevented(execution.output)]))


def _bare(spec: GradingSpec) -> Instance:
    """The instance without activation lines, because evaluation scripts have their own."""
    environment = replace(spec.instance.environment, activate="")
    return replace(spec.instance, environment=environment)


async def _close(sandbox: Sandbox) -> None:
    try:
        await sandbox.close()
    except SandboxError:
        return  # closing the provider, or the reaper, removes what is left


async def _next(done: asyncio.Queue[Grade], working: asyncio.Task[None]) -> Grade:
    """The next grade, or the error that ended the work."""
    getting = asyncio.create_task(done.get())
    try:
        await asyncio.wait({getting, working}, return_when=asyncio.FIRST_COMPLETED)
        if not getting.done() and done.empty():
            await working
        return await getting
    finally:
        getting.cancel()
