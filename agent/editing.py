"""The editing trajectory: an edit that makes the script pass (CodeMonkeys, section 3.2)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.conversation import Conversation
from agent.edits import EditMismatch, MalformedEdits, apply_edits, parse_edits
from agent.journal import Kind, TrajectoryId
from agent.outcome import Outcome
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
    from agent.context import Context
    from agent.edits import FileEdit
    from agent.model import Choice
    from agent.settings import ModelSettings, SampleSettings
    from agent.workbench import Workbench
    from sandbox.protocol import Execution, Script

MAX_SHOWN_DIFF = 20_000
"""Characters of a diff that are shown back to the model."""


@dataclass(frozen=True, slots=True)
class EditStep:
    """What one reply asks for."""

    patch: Patch | None = None
    script: Script | None = None
    notes: tuple[str, ...] = ()


class WriteEdit:
    """`agent.trajectory.Task`: write an edit, run the script on it, and revise either."""

    reminder = (
        '<edit path="...">\n<<<<<<< SEARCH\n...\n=======\n...\n>>>>>>> REPLACE\n</edit>\n\n'
        "and, if the script shall change, <test_script>\n...\n</test_script>\n\n"
        "or, when the edit that was run is right, nothing but <done/>."
    )

    def __init__(self, bench: Workbench, script: Script | None, before: Execution | None) -> None:
        self.script = script
        """The current script; at first the one from the testing trajectory."""
        self.patch: Patch = UNEDITED
        """The current edit; empty until one can be applied."""
        self._bench = bench
        self._before = before

    def opening(self) -> str:
        """See `Task`."""
        return render(
            "editing",
            script=self.script.text.rstrip() if self.script else "",
            before=describe(self._before) if self._before else "",
            script_rules=script_rules(self._bench),
            edit_rules=render("edit_rules", suffix=self._bench.language.example_suffix).rstrip(),
        )

    async def read(self, choice: Choice) -> EditStep | None:
        """See `Task`."""
        text = require_whole(choice)
        written, rest = split_script(text)
        try:
            edits = parse_edits(rest)
        except MalformedEdits as error:
            raise Unreadable(str(error)) from error
        if not edits and written is None:
            self._check_done(text)
            return None
        script = make_script(self._bench.language, written) if written is not None else None
        if not edits:
            return EditStep(script=script)
        try:
            patch, notes = await asyncio.to_thread(_apply, edits, self._bench)
        except EditMismatch as error:
            raise Unreadable(str(error), prompt="edit_mismatch") from error
        return EditStep(patch, script, notes)

    def _check_done(self, text: str) -> None:
        if not says_done(text):
            raise Unreadable("It has neither an edit, nor a script, nor <done/>.")
        if not self.patch:
            raise Unreadable("There is no edit yet that could be done.")

    async def act(self, talk: Conversation, step: EditStep, left: int) -> str:
        """See `Task`: run the script before and after the edit."""
        self.patch = step.patch or self.patch
        self.script = step.script or self.script
        if self.script is None:
            return render(
                "unreadable",
                reason="Your edits can be applied, but there is no script to run yet.",
                reminder="your edits again, and <test_script>\n...\n</test_script>",
                replies_left=replies_left(left),
            )
        if not self.patch:
            before = await talk.run(self.script, UNEDITED, "before")
            return render(
                "editing_script_result", before=describe(before), replies_left=replies_left(left)
            )
        try:
            before, after = await together(
                talk.run(self.script, UNEDITED, "before"),
                talk.run(self.script, self.patch, "after"),
            )
        except UsageError as error:
            self.patch = UNEDITED  # no sandbox lays it, so it cannot be a candidate
            return render(
                "unreadable",
                reason=f"Your edits cannot be made in the repository. {error.message}",
                reminder="your edits again, without that file",
                replies_left=replies_left(left),
            )
        return render(
            "editing_result",
            notes=step.notes,
            diff=_shown(self.patch.diff),
            new_script=step.script is not None,
            before=describe(before, again=step.script is None),
            after=describe(after),
            advice=_advice(before, after),
            replies_left=replies_left(left),
        )

    def out_of_turns(self) -> Outcome:
        """See `Task`."""
        return Outcome.OUT_OF_TURNS if self.patch else Outcome.NO_EDIT


def editing_talk(
    bench: Workbench,
    context: Context,
    number: int,
    *,
    model: ModelSettings,
    settings: SampleSettings,
) -> Conversation:
    """The conversation in which a sample writes its edit."""
    return Conversation(
        bench,
        TrajectoryId(f"sample-{number}/{Kind.EDITING}", Kind.EDITING, number),
        model=model.name,
        temperature=settings.temperature,
        max_tokens=settings.editing_max_tokens,
        system=render("system"),
        prefix=context.text,
    )


def _apply(edits: tuple[FileEdit, ...], bench: Workbench) -> tuple[Patch, tuple[str, ...]]:
    """The patch that the edits make from the original files."""
    repo_dir = bench.instance.environment.repo_dir
    edited = apply_edits(edits, bench.codebase, repo_dir=repo_dir)
    try:
        return diff_files(edited.changes, bench.codebase), tuple(edited.notes)
    except UsageError as error:
        raise EditMismatch(error.message) from error


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
