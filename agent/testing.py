"""The testing trajectory: a script that fails while the issue is there (CodeMonkeys, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.phrases import describe, replies_left, script_rules
from agent.prompting import render
from agent.replies import Unreadable, find_fenced_script, find_script, require_whole, says_done
from agent.scripts import make_script
from data.patches.patch import UNEDITED
from sandbox.protocol import Ending

if TYPE_CHECKING:
    from agent.conversation import Conversation
    from agent.model import Choice
    from agent.workbench import Workbench
    from data.languages.languages import Language
    from sandbox.protocol import Execution, Limits, Script

ISSUE_IS_THERE = 2
"""The exit code by which a script says that the issue is there."""

REMINDER = (
    "<test_script>\n...\n</test_script>\n\n"
    "or, when the script that was run is right, nothing but <done/>."
)


@dataclass(slots=True)
class Draft:
    """The test script so far and what it did on the unedited code.

    Filled as the trajectory goes, so that one that is cut short keeps what it has.
    """

    script: Script | None = None
    before: Execution | None = None
    finished: bool = False
    """The model said that the script is right."""


def opening(bench: Workbench, limits: Limits) -> str:
    """The first prompt, the same for every sample."""
    return render("testing", script_rules=script_rules(bench, limits))


async def write_test(talk: Conversation, first: Choice, draft: Draft, *, turns: int) -> None:
    """Write a script and revise it until the model says that it is right.

    Args:
        talk: the conversation.
        first: its reply to `opening`.
        draft: filled with the script.
        turns: replies in all, the first included.

    Raises:
        ModelError, SandboxError, Interrupted, ContextExceeded, RequestRejected.
    """
    reply, language = first, talk.bench.language
    for left in reversed(range(turns)):
        try:
            written = _read(reply, language, has_script=draft.script is not None)
        except Unreadable as error:
            prompt = _again(str(error), left)
        else:
            if written is None:
                draft.finished = True
                return
            draft.script = make_script(language, written)
            draft.before = await talk.run(draft.script, UNEDITED, "before")
            prompt = _show(draft.before, left)
        if left:
            reply = await talk.ask(prompt)


def _read(reply: Choice, language: Language, *, has_script: bool) -> str | None:
    """The script, or None for "done"."""
    text = require_whole(reply)
    script = find_script(text)
    if script is None and says_done(text):
        if has_script:
            return None
        raise Unreadable("There is no script yet that could be done.")
    if script is None:
        script = find_fenced_script(text, language.script.fences)
    if script is None:
        raise Unreadable(
            "It has neither a script between <test_script> and </test_script> nor <done/>."
        )
    return script


def _again(reason: str, left: int) -> str:
    return render("unreadable", reason=reason, reminder=REMINDER, replies_left=replies_left(left))


def _show(before: Execution, left: int) -> str:
    return render(
        "testing_result",
        verdict=_verdict(before),
        execution=describe(before),
        failed_as_expected=before.exit_code == ISSUE_IS_THERE,
        passed=before.passed,
        replies_left=replies_left(left),
    )


def _verdict(before: Execution) -> str:
    if before.ending is not Ending.EXITED:
        return "It did not come to an end."
    if before.exit_code == ISSUE_IS_THERE:
        return "It says, as it should, that the issue is there."
    if before.passed:
        return "It says that the issue is fixed, which cannot be: nothing was edited yet."
    return "It did not get as far as telling whether the issue is there."
