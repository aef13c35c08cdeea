"""The selector "selection": tests that tell finalists apart, then a choice (CodeMonkeys, 3.3)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agent.journal import Kind
from agent.outcome import Outcome
from agent.phrases import describe, replies_left, script_rules
from agent.prompting import render
from agent.replies import Unreadable, find_choice, find_script, require_whole
from agent.scripts import make_script
from agent.slots import together
from data.patches.patch import UNEDITED
from sandbox.protocol import Script
from selection.candidates import TestKind
from selection.matrix import UNEDITED_ROW, Verdict
from selection.selectors.asking import LETTERS, ask, chosen, keys, question_digest, unasked
from selection.selectors.protocol import Needs
from selection.votes import finalists, rank

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.conversation import Conversation
    from agent.model import Choice
    from agent.workbench import Workbench
    from selection.candidates import Candidate, Test
    from selection.matrix import Matrix
    from selection.race import Race
    from selection.selectors.protocol import Ranking, SelectorContext

UNEDITED_NAME = "unedited repository"
BROKEN_LINES = 8
"""How many lines of a repository test's output on one candidate are shown."""


def option_names(count: int) -> list[str]:
    """What so many finalists are called here, in the vote's order: "candidate A" and so on."""
    return [f"candidate {letter}" for letter in LETTERS[:count]]


class SelectionTrajectory:
    """See the module; a `Selector`."""

    needs = Needs.SANDBOX

    def __init__(self, context: SelectorContext) -> None:
        self._context = context

    async def choose(self, race: Race, bench: Workbench) -> Ranking:
        """See `Selector`."""
        settings = self._context.settings
        matrix = await race.matrix()
        order = tuple(standing.candidate for standing in rank(matrix, settings.votes))
        options = finalists(matrix, settings.votes, settings.finalists)[: len(LETTERS)]
        alone = unasked(order, options)
        if alone is not None:
            return alone
        digests = (
            self._digest(matrix, options, bench, lambda test: test.script.digest),
            # Version 0.1.0 treated every stored script as Python.
            self._digest(matrix, options, bench, lambda test: Script(test.script.text).digest),
        )
        ended = await ask(
            bench,
            race,
            Kind.SELECTION,
            keys(self._context, Kind.SELECTION, *digests),
            partial(TellApart, bench, matrix, options, settings.turns),
            turns=settings.turns,
            context=self._context,
        )
        return chosen(ended, options, order)

    def _digest(
        self,
        matrix: Matrix,
        options: Sequence[Candidate],
        bench: Workbench,
        digest: Callable[[Test], str],
    ) -> str:
        settings = self._context.settings
        rows = [matrix.row(number) for number in (UNEDITED_ROW, *(c.number for c in options))]
        flags = [str(flag) for c in options for flag in c.flags]
        told = (*(c.patch.diff for c in options), *map(digest, matrix.tests), rows, *flags)
        common = (self._context.model, settings.temperature, settings.max_tokens)
        return question_digest(*common, settings.turns, bench.limits.timeout_s, *told)


class TellApart:
    """`agent.trajectory.Task`: write scripts that show where finalists differ, then choose."""

    reminder = (
        "<test_script>\n...\n</test_script>\n\n"
        "or <choose>LETTER</choose>, with the letter of a candidate"
    )

    def __init__(
        self, bench: Workbench, matrix: Matrix, options: Sequence[Candidate], turns: int
    ) -> None:
        self._bench = bench
        self._matrix = matrix
        self._candidates = dict(zip(LETTERS, options, strict=False))
        self._turns = turns

    def opening(self) -> str:
        """See `Task`."""
        matrix = self._matrix
        return render(
            "selection",
            candidates=[
                {
                    "letter": letter,
                    "diff": c.patch.diff.rstrip("\n"),
                    "samples": c.support,
                    "flags": [str(flag) for flag in c.flags],
                }
                for letter, c in self._candidates.items()
            ],
            tests=[
                {"number": t.number, "script": t.script.text.rstrip()}
                for t in matrix.only(TestKind.GENERATED).tests
            ],
            files=[
                {"path": t.label, "broken": self._broken(t)}
                for t in matrix.only(TestKind.REGRESSION).tests
            ],
            table=self._table(),
            script_rules=script_rules(self._bench),
            replies_left=replies_left(self._turns),
        )

    async def read(self, choice: Choice) -> str | None:
        """See `Task`: a script, or None for a choice. If both are there, the script is run."""
        text = require_whole(choice)
        script = find_script(text)
        if script is None and find_choice(text, "".join(self._candidates)) is None:
            raise Unreadable("It has neither a script nor a choice.")
        return script

    async def act(self, talk: Conversation, step: str, left: int) -> str:
        """See `Task`: run the script on the unedited code and on every candidate."""
        script = make_script(self._bench.language, step)
        names = [UNEDITED_NAME, *option_names(len(self._candidates))]
        patches = [UNEDITED, *(c.patch for c in self._candidates.values())]
        executions = await together(
            *(talk.run(script, patch, name) for name, patch in zip(names, patches, strict=True))
        )
        return render(
            "selection_result",
            results=[
                {"name": name[0].upper() + name[1:], "execution": describe(execution)}
                for name, execution in zip(names, executions, strict=True)
            ],
            replies_left=replies_left(left),
            last=left == 1,
        )

    def out_of_turns(self) -> Outcome:
        """See `Task`."""
        return Outcome.OUT_OF_TURNS

    def _table(self) -> str:
        """The verdicts as a Markdown table: one line per script and test file."""
        names = ["unedited", *self._candidates]
        numbers = [UNEDITED_ROW, *(c.number for c in self._candidates.values())]
        lines = ["| script | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for test in self._matrix.tests:
            said = [self._matrix.said(number, test) for number in numbers]
            name = test.label or str(test.number)
            flaky = " (flaky: it says something else when it is run again)" if test.flaky else ""
            lines.append(f"| {name}{flaky} | " + " | ".join(said) + " |")
        return "\n".join(lines)

    def _broken(self, test: Test) -> list[dict[str, str]]:
        """What a test file says about the candidates that break part of it."""
        told = []
        for letter, candidate in self._candidates.items():
            cell = self._matrix.cells[candidate.number, test.number]
            if cell.verdict is Verdict.FAIL:
                lines = cell.execution.output.strip().splitlines()
                shown = [*lines[:BROKEN_LINES], "..."] if len(lines) > BROKEN_LINES else lines
                told.append({"letter": letter, "output": "\n".join(shown)})
        return told
