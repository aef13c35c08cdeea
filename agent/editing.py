"""The editing trajectory: an edit that makes the script pass (CodeMonkeys, section 3.2)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.edits import EditMismatch, MalformedEdits, apply_edits, parse_edits
from agent.phrases import describe, replies_left, script_rules
from agent.prompting import render
from agent.replies import Unreadable, require_whole, says_done, split_script
from agent.scripts import make_script
from agent.slots import together
from agent.testing import ISSUE_IS_THERE
from data.errors import UsageError
from data.patches.applying import diff_files
from data.patches.patch import UNEDITED, Patch

if TYPE_CHECKING:
    from agent.conversation import Conversation
    from agent.edits import FileEdit
    from agent.model import Choice
    from agent.testing import Draft
    from agent.workbench import Workbench
    from sandbox.protocol import Execution, Limits, Script

MAX_SHOWN_DIFF = 20_000
"""Characters of a diff that are shown back to the model."""

REMINDER = (
    '<edit path="...">\n<<<<<<< SEARCH\n...\n=======\n...\n>>>>>>> REPLACE\n</edit>\n\n'
    "and, if the script shall change, <test_script>\n...\n</test_script>\n\n"
    "or, when the edit that was run is right, nothing but <done/>."
)


@dataclass(slots=True)
class Attempt:
    """The edit and the script so far, filled as the trajectory goes."""

    script: Script | None
    patch: Patch = UNEDITED
    """Empty while no edit could be applied."""
    finished: bool = False
    """The model said that the edit is right."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What one reply asks for."""

    patch: Patch | None = None
    script: Script | None = None
    notes: tuple[str, ...] = ()


async def write_edit(
    talk: Conversation, draft: Draft, attempt: Attempt, *, turns: int, limits: Limits
) -> None:
    """Write an edit, look at what the script says of it, and revise either.

    Raises:
        ModelError, SandboxError, Interrupted, ContextExceeded, RequestRejected.
    """
    prompt = _opening(talk, draft, limits)
    for left in reversed(range(turns)):
        reply = await talk.ask(prompt)
        try:
            step = await _read(reply, talk.bench, has_edit=bool(attempt.patch))
        except (Unreadable, MalformedEdits) as error:
            prompt = render(
                "unreadable", reason=error, reminder=REMINDER, replies_left=replies_left(left)
            )
            continue
        except EditMismatch as error:
            prompt = render("edit_mismatch", reason=error, replies_left=replies_left(left))
            continue
        if step is None:
            attempt.finished = True
            return
        attempt.patch = step.patch or attempt.patch
        attempt.script = step.script or attempt.script
        prompt = await _run(talk, step, attempt, left)


def _opening(talk: Conversation, draft: Draft, limits: Limits) -> str:
    return render(
        "editing",
        script=draft.script.text.rstrip() if draft.script else "",
        before=describe(draft.before) if draft.before else "",
        script_rules=script_rules(talk.bench, limits),
        edit_rules=render("edit_rules", suffix=talk.bench.language.example_suffix).rstrip(),
    )


async def _read(reply: Choice, bench: Workbench, *, has_edit: bool) -> _Step | None:
    """What the reply asks for; None for "done"."""
    text = require_whole(reply)
    written, rest = split_script(text)
    edits = parse_edits(rest)
    if not edits and written is None:
        if says_done(text) and has_edit:
            return None
        if says_done(text):
            raise Unreadable("There is no edit yet that could be done.")
        raise Unreadable("It has neither an edit, nor a script, nor <done/>.")
    script = make_script(bench.language, written) if written is not None else None
    if not edits:
        return _Step(script=script)
    patch, notes = await asyncio.to_thread(_apply, edits, bench)
    return _Step(patch, script, notes)


def _apply(edits: tuple[FileEdit, ...], bench: Workbench) -> tuple[Patch, tuple[str, ...]]:
    """The patch that the edits make of the original files."""
    repo_dir = bench.instance.environment.repo_dir
    edited = apply_edits(edits, bench.codebase, repo_dir=repo_dir)
    try:
        return diff_files(edited.changes, bench.codebase), tuple(edited.notes)
    except UsageError as error:
        raise EditMismatch(error.message) from error


async def _run(talk: Conversation, step: _Step, attempt: Attempt, left: int) -> str:
    """Run the script before and after the edit; the next prompt."""
    script, patch = attempt.script, attempt.patch
    if script is None:
        return render(
            "unreadable",
            reason="Your edits can be applied, but there is no script to run yet.",
            reminder="your edits again, and <test_script>\n...\n</test_script>",
            replies_left=replies_left(left),
        )
    if not patch:
        before = await talk.run(script, UNEDITED, "before")
        return render(
            "editing_script_result", before=describe(before), replies_left=replies_left(left)
        )
    before, after = await together(
        talk.run(script, UNEDITED, "before"), talk.run(script, patch, "after")
    )
    return render(
        "editing_result",
        notes=step.notes,
        diff=_shown(patch.diff),
        new_script=step.script is not None,
        before=describe(before) if step.script else describe(before, again=True),
        after=describe(after),
        advice=_advice(before, after),
        replies_left=replies_left(left),
    )


def _shown(diff: str) -> str:
    if len(diff) <= MAX_SHOWN_DIFF:
        return diff.rstrip("\n")
    return f"{diff[:MAX_SHOWN_DIFF]}\n[... {len(diff) - MAX_SHOWN_DIFF} further characters]"


def _advice(before: Execution, after: Execution) -> str:
    if before.passed:
        return "The script says 0 even without your edits, so it does not show the issue: mend it."
    if after.exit_code == ISSUE_IS_THERE:
        return "The script says that the issue is still there."
    if not after.passed:
        return "The script did not get as far as telling whether the issue is fixed."
    return ""
