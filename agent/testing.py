"""The testing trajectory: a script that fails while the issue is there (CodeMonkeys, 3.2)."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from agent.conversation import Conversation, SharedFirstTurn
from agent.journal import Kind, TrajectoryId
from agent.outcome import Outcome
from agent.phrases import describe, replies_left, script_rules
from agent.prompting import render
from agent.replies import Unreadable, find_fenced_script, find_script, require_whole, says_done
from agent.scripts import make_script
from agent.slots import as_they_end
from agent.trajectory import converse
from data.patches.patch import UNEDITED
from sandbox.protocol import Ending

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

    from agent.context import Context
    from agent.model import Choice
    from agent.settings import ModelSettings, SampleSettings
    from agent.workbench import Workbench
    from sandbox.protocol import Execution, Script

T = TypeVar("T")
ISSUE_IS_THERE = 2
"""The exit code by which a script says that the issue is there."""


class WriteTest:
    """`agent.trajectory.Task`: write a script and revise it until the model says it is right."""

    reminder = (
        "<test_script>\n...\n</test_script>\n\n"
        "or, when the script that was run is right, nothing but <done/>."
    )

    def __init__(self, bench: Workbench) -> None:
        self.script: Script | None = None
        """The current script."""
        self.before: Execution | None = None
        """Its execution on the unedited code."""
        self._bench = bench

    def opening(self) -> str:
        """See `Task`; the same for every sample."""
        return render("testing", script_rules=script_rules(self._bench))

    async def read(self, choice: Choice) -> Script | None:
        """See `Task`: the script, or None for "done"."""
        text, language = require_whole(choice), self._bench.language
        written = find_script(text)
        if written is None and says_done(text):
            if self.script is not None:
                return None
            raise Unreadable("There is no script yet that could be done.")
        if written is None:
            written = find_fenced_script(text, language.script.fences)
        if written is None:
            raise Unreadable(
                "It has neither a script between <test_script> and </test_script> nor <done/>."
            )
        return make_script(language, written)

    async def act(self, talk: Conversation, step: Script, left: int) -> str:
        """See `Task`: run the script on the unedited code."""
        self.script = step
        self.before = before = await talk.run(step, UNEDITED, "before")
        return render(
            "testing_result",
            verdict=_verdict(before),
            execution=describe(before),
            failed_as_expected=before.exit_code == ISSUE_IS_THERE,
            passed=before.passed,
            replies_left=replies_left(left),
        )

    def out_of_turns(self) -> Outcome:
        """See `Task`."""
        return Outcome.OUT_OF_TURNS


class TestWriters:
    """The testing trajectories of several samples, which share their first request."""

    __test__ = False  # not for pytest

    def __init__(
        self,
        bench: Workbench,
        context: Context,
        numbers: Sequence[int],
        *,
        model: ModelSettings,
        settings: SampleSettings,
    ) -> None:
        self._bench = bench
        self._turns = settings.testing_turns
        self._talks = {
            number: Conversation(
                bench,
                TrajectoryId(f"sample-{number}/{Kind.TESTING}", Kind.TESTING, number),
                model=model.name,
                temperature=settings.temperature,
                max_tokens=settings.testing_max_tokens,
                system=render("system"),
                prefix=context.text,
            )
            for number in numbers
        }
        talks = list(self._talks.values())
        self._first = SharedFirstTurn(talks, WriteTest(bench).opening(), model.samples_per_call)

    async def each(self, work: Callable[[int], Coroutine[Any, Any, T]]) -> AsyncGenerator[T]:
        """Run `work` on each sample's number, all at once. `work` may call `write`.

        Raises:
            ModelError, SandboxError, StoreError, Interrupted.
        """
        running = as_they_end(self._first.ask_all(), *map(work, self._talks))
        async with aclosing(running) as ended:
            async for one in ended:
                if one is not None:
                    yield one

    async def write(self, number: int) -> tuple[WriteTest, Outcome]:
        """Run one sample's testing trajectory to its end.

        Raises:
            ModelError, SandboxError, StoreError, Interrupted.
        """
        task = WriteTest(self._bench)
        talk = self._talks[number]
        return task, await converse(talk, task, turns=self._turns, first=self._first)


def _verdict(before: Execution) -> str:
    if before.ending is not Ending.EXITED:
        return "It did not come to an end."
    if before.exit_code == ISSUE_IS_THERE:
        return "It says, as it should, that the issue is there."
    if before.passed:
        return "It says that the issue is fixed, which cannot be: nothing was edited yet."
    return "It did not get as far as telling whether the issue is there."
