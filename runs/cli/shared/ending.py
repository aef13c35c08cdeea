"""What a command prints, writes and returns when its run has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.outcome import Outcome
from data.errors import StoreError
from data.folders import data_folder
from data.paths import file_name
from data.writing import put_file
from runs.cli.shared.terminal import progress, results, write_patch
from runs.run import signals
from runs.run.own import patch_notes
from runs.show.instance import instance_report
from runs.show.lists import run_report
from runs.show.support import support_sentence
from runs.store.reading import Reader
from runs.store.registry import Status
from runs.words import plain
from selection.support import Support

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from data.errors import TroopError
    from runs.run.session import Finished
    from runs.store.story import Story

UNSUPPORTED = 6
"""A patch came out, but the tests that were asked for do not support it."""


def show_solution(
    finished: Finished, database: str, instance_id: str, *, output: Path | None, patch_only: bool
) -> int:
    """Write the patch and show its evidence; the exit code."""
    with Reader(database) as reader:
        story = reader.story(reader.instance(finished.run, instance_id))
        patch = story.patch
        if patch and story.whole is not None:
            for note in patch_notes(story.whole, patch):
                _say(note)
        if patch_only:
            write_patch(patch)
        elif finished.tally.status is Status.FINISHED:
            results().print(instance_report(story))
        if patch:
            place = _keep(patch, output, finished.run, instance_id)
        if not patch_only and finished.tally.status is Status.FINISHED:
            if patch:
                _say(f"Patch: {place}")
            _say(f"Trajectories: troop show {finished.run} --trajectories")
        if not patch and finished.tally.status is Status.FINISHED:
            _say(_why_nothing(story))
        evidence = story.evidence
    code = exit_code(finished, patched=bool(patch))
    if code or evidence is None or not evidence.support.doubtful:
        return code
    against = evidence.support is Support.CONTRADICTED
    but = "tests speak against it" if against else "no test supports it"
    _say(f"A patch came out, but {but} (exit code {UNSUPPORTED}). {support_sentence(evidence)}")
    return UNSUPPORTED


def show_run(finished: Finished, database: str) -> int:
    """Show how the run ended; the exit code."""
    with Reader(database) as reader:
        run = reader.run(finished.run)
        results().print(run_report(reader, run))
    _say(f"One instance: troop show {finished.run} INSTANCE")
    _say(f"Predictions: troop export {finished.run}")
    return exit_code(finished, patched=run.patched > 0)


def exit_code(finished: Finished, *, patched: bool) -> int:
    """The exit code of a run that has ended; errors and interruptions are printed."""
    tally = finished.tally
    if tally.status is Status.INTERRUPTED:
        _say("Interrupted. The same command continues where it stopped.")
        return signals.exit_code()
    for hint, errors in _by_hint(tally.errors).items():
        for instance_id, message in errors:
            _say(f"{instance_id}: {message}")
        if hint:
            _say(f"  {hint}")
    if tally.errors:
        _say("The same command tries again what failed.")
        return max(error.exit_code for error in tally.errors.values())
    return 0 if patched else 1


def _by_hint(errors: Mapping[str, TroopError]) -> dict[str, list[tuple[str, str]]]:
    """Instances and messages by their hint, so that each hint is printed once."""
    found: dict[str, list[tuple[str, str]]] = {}
    for instance_id, error in errors.items():
        found.setdefault(error.hint, []).append((instance_id, error.message))
    return found


def _why_nothing(story: Story) -> str:
    endings = sorted(sample.outcome.replace("_", " ") for sample in story.samples)
    shown = ", ".join(f"{endings.count(e)} {e}" for e in dict.fromkeys(endings))
    hint = ""
    if any(sample.outcome is Outcome.CONTEXT_EXCEEDED for sample in story.samples):
        hint = " The model's context is too small: give a smaller --context-tokens."
    return f"No patch came out. How samples ended: {shown or 'there were none'}.{hint}"


def _keep(patch: str, output: Path | None, run: str, instance_id: str) -> str:
    """Write the patch to its file; says where it is.

    Raises:
        StoreError: the file that was asked for cannot be written.
    """
    stored = f"troop show {run} {instance_id} --patch-only"
    file = output or patch_file(run, instance_id)
    try:
        put_file(file, patch.encode("utf-8", "surrogateescape"))
    except StoreError as error:
        if output is None:
            return stored
        raise StoreError(error.message, hint=f"The patch is in the database: {stored}") from error
    return str(file)


def patch_file(run: str, instance_id: str) -> Path:
    """Where a patch goes unless --output names a file."""
    safe = "".join(c if c.isalnum() or c in "._-" else "-" for c in f"{instance_id}.patch")
    return data_folder() / "patches" / file_name(run) / safe


def _say(message: str) -> None:
    progress().print(plain(message), soft_wrap=True)
