"""The selection trajectory: tests that tell finalists apart, then a choice (CodeMonkeys, 3.3)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

from agent.model import ContextExceeded, RequestRejected
from agent.phrases import describe, replies_left, script_rules
from agent.prompting import render
from agent.replies import Unreadable, find_choice, find_script, require_whole
from agent.scripts import make_script
from agent.slots import together
from data.patches.patch import UNEDITED
from selection.candidates import TestKind
from selection.matrix import laid_for
from selection.votes import UNEDITED_ROW, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.conversation import Conversation
    from agent.model import Choice
    from sandbox.protocol import Limits
    from selection.candidates import Candidate, Test
    from selection.votes import Matrix, Standing

UNEDITED_NAME = "unedited repository"
BROKEN_LINES = 8
"""Shown of what a test file of the repository's own says of one candidate."""
REMINDER = (
    "<test_script>\n...\n</test_script>\n\n"
    "or <choose>LETTER</choose>, with the letter of a candidate"
)


class Reason(enum.StrEnum):
    """Why a candidate was chosen."""

    ONLY_CANDIDATE = "only_candidate"
    VOTE = "vote"
    """The vote's order decided, as configured."""
    SELECTION = "selection"
    """The selection trajectory chose it."""
    FALLBACK = "fallback"
    """The selection trajectory gave no usable answer: the vote's order decided."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen candidate, and why."""

    candidate: Candidate
    reason: Reason
    outcome: str = ""
    """How the selection trajectory ended, where there was one."""


async def decide(
    talk: Conversation, matrix: Matrix, finalists: Sequence[Standing], *, turns: int, limits: Limits
) -> Decision:
    """Let the model tell the finalists apart and choose.

    Raises:
        ModelError, SandboxError, Interrupted.
    """
    candidates = dict(zip(ascii_uppercase, (s.candidate for s in finalists), strict=False))
    prompt = _opening(talk, matrix, candidates, turns, limits)
    outcome = "out_of_turns"
    try:
        for left in reversed(range(turns)):
            reply = await talk.ask(prompt)
            try:
                chosen, script = _read(reply, "".join(candidates))
            except Unreadable as error:
                prompt = render(
                    "unreadable", reason=error, reminder=REMINDER, replies_left=replies_left(left)
                )
                continue
            if chosen is not None:
                return Decision(candidates[chosen], Reason.SELECTION, "done")
            prompt = await _compare(talk, script, candidates, left)
    except ContextExceeded:
        outcome = "context_exceeded"
    except RequestRejected:
        outcome = "rejected"
    return Decision(finalists[0].candidate, Reason.FALLBACK, outcome)


def _read(reply: Choice, letters: str) -> tuple[str | None, str]:
    """The chosen letter, or None and a script. A script goes first: its results may matter."""
    text = require_whole(reply)
    script = find_script(text)
    if script is not None:
        return None, script
    chosen = find_choice(text, letters)
    if chosen is None:
        raise Unreadable("It has neither a script nor a choice.")
    return chosen, ""


def _opening(
    talk: Conversation,
    matrix: Matrix,
    candidates: dict[str, Candidate],
    turns: int,
    limits: Limits,
) -> str:
    return render(
        "selection",
        candidates=[
            {"letter": letter, "diff": c.patch.diff.rstrip("\n"), "samples": c.support}
            for letter, c in candidates.items()
        ],
        tests=[
            {"number": t.number, "script": t.script.text.rstrip()}
            for t in matrix.only(TestKind.GENERATED).tests
        ],
        files=[
            {"path": t.label, "broken": _broken(talk, matrix, t, candidates)}
            for t in matrix.only(TestKind.REGRESSION).tests
        ],
        table=_table(matrix, candidates),
        script_rules=script_rules(talk.bench, limits),
        replies_left=replies_left(turns),
    )


def _table(matrix: Matrix, candidates: dict[str, Candidate]) -> str:
    """The verdicts as a Markdown table: one line per script and test file."""
    names = ["unedited", *candidates]
    numbers = [UNEDITED_ROW, *(c.number for c in candidates.values())]
    lines = ["| script | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for test in matrix.tests:
        said = [matrix.verdicts[number, test.number] for number in numbers]
        name = test.label or str(test.number)
        flaky = " (flaky: it says something else when it is run again)" if test.flaky else ""
        lines.append(f"| {name}{flaky} | " + " | ".join(said) + " |")
    return "\n".join(lines)


def _broken(
    talk: Conversation, matrix: Matrix, test: Test, candidates: dict[str, Candidate]
) -> list[dict[str, str]]:
    """What a test file says of those who break some of it, as far as it is recorded."""
    told = []
    for letter, candidate in candidates.items():
        if matrix.verdicts[candidate.number, test.number] is not Verdict.FAIL:
            continue
        patch = laid_for(test, candidate.patch)
        execution = talk.bench.journal.recall_execution(test.script, patch)
        if execution is not None:
            lines = execution.output.strip().splitlines()
            shown = [*lines[:BROKEN_LINES], "..."] if len(lines) > BROKEN_LINES else lines
            told.append({"letter": letter, "output": "\n".join(shown)})
    return told


async def _compare(
    talk: Conversation, text: str, candidates: dict[str, Candidate], left: int
) -> str:
    """Run one script everywhere; the next prompt."""
    script = make_script(talk.bench.language, text)
    names = [UNEDITED_NAME, *(f"candidate {letter}" for letter in candidates)]
    patches = [UNEDITED, *(c.patch for c in candidates.values())]
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
