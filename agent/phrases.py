"""Small phrases that several prompts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.prompting import render
from sandbox.protocol import Ending

if TYPE_CHECKING:
    from agent.workbench import Workbench
    from sandbox.protocol import Execution

_ENDINGS = {
    Ending.TIMEOUT: "none: it was stopped because it ran too long",
    Ending.OUT_OF_MEMORY: "none: it was stopped because it used too much memory",
    Ending.DISK_EXCEEDED: "none: it was stopped because it wrote too much to the disk",
    Ending.OUTPUT_EXCEEDED: "none: it was stopped because it printed too much",
    Ending.CUT_SHORT: "none: code of the repository ended the process, so the script did not come"
    " to its end",
}


def describe(execution: Execution, *, again: bool = False) -> str:
    """An execution in words for the model; `again`: the model has seen the output before."""
    ending = str(execution.exit_code)
    if execution.ending is not Ending.EXITED:
        ending = _ENDINGS[execution.ending]
    if again:
        return f"Exit code: {ending}, with the same output as shown before."
    return render("execution", ending=ending, output=execution.output.rstrip()).rstrip()


def replies_left(turns: int) -> str:
    """For example "3 replies"."""
    return "1 reply" if turns == 1 else f"{turns} replies"


def script_rules(bench: Workbench) -> str:
    """The rules for a test script."""
    return render(
        "script_rules",
        script=bench.language.script,
        how=bench.language.how,
        repo_dir=bench.instance.environment.repo_dir,
        timeout=round(bench.limits.timeout_s),
    ).rstrip()
