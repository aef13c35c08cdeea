"""Patches from new contents and from other tools' diffs, made by git itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.git_process import GitFailedError
from data.patches.attempts import attempts, named_paths
from data.patches.flaws import is_outside
from data.patches.patch import UNEDITED, FileChange, Patch
from data.patches.repairs import repair
from data.patches.scratch import EXECUTABLE, REGULAR, Scratch, State
from data.paths import check_editable, show_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data.codebases.codebase import Codebase
    from data.patches.attempts import Attempt, Named

_DIFF = (
    *("diff-tree", "-r", "-p", "--binary", "--no-renames", "--no-color", "--no-ext-diff"),
    *("--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"),
)


_UNFOLDS = re.compile(r"^(?:literal|delta) (\d{1,18})$", re.MULTILINE)
_LARGEST_UNFOLDED = 64 << 20


@dataclass(frozen=True, slots=True)
class Applied:
    """Another tool's diff as a patch."""

    patch: Patch
    notes: tuple[str, ...] = ()
    """What was repaired to make it apply, for people."""


def diff_files(changes: Mapping[str, bytes | None], codebase: Codebase) -> Patch:
    """Make the patch that gives files new contents (None: the file is deleted).

    A file keeps its executable bit; new files have none. Content that equals the
    base is not a change. Content that is not UTF-8 is written as one of git's binary
    patches, so that the diff is text whatever the file's encoding. Takes one git
    process, or two if both kinds occur.

    Raises:
        UsageError: a path cannot be edited, or there is no git on this machine.
    """
    states: dict[str, State | None] = {}
    for path, content in changes.items():
        base = codebase.files.get(path)
        executable = base is not None and base.executable
        states[path] = None if content is None else State(content, executable)
    return _patch(states, codebase)


def apply_diff(diff: str, codebase: Codebase) -> Applied:
    """Apply a unified diff from elsewhere with `git apply`, and make it a patch.

    It is tried as it is, and then with one repair after the other, each with a note;
    the table of repairs is in `data/patches/repairs.py`. An empty diff is the unedited
    codebase.

    Raises:
        UsageError: it does not apply (with git's reason), names a path outside
            the repository or in `.git`, touches a file that was not read, or
            makes links.
    """
    if not diff.strip():
        return Applied(UNEDITED)
    try:
        return _apply(diff, codebase)
    except UsageError as error:
        try:
            repaired = repair(diff)
            applied = _apply(repaired.text, codebase)
        except UsageError:
            # The error of the diff as it was given is more useful.
            raise error from None
        return Applied(applied.patch, (*repaired.notes, *applied.notes))


def lay(patch: Patch, codebase: Codebase) -> Patch:
    """The patch with its files. A patch from a store is laid on its codebase.

    Raises:
        UsageError: it does not apply, or leads to other files, because the codebase has changed.
    """
    if patch.laid is not None:
        return patch
    laid = apply_diff(patch.diff, codebase).patch
    if laid.digest != patch.digest:
        raise UsageError(
            "A stored patch leads to other files than before: the codebase has changed.",
            hint="Begin another run with --fresh.",
        )
    return laid


def _apply(diff: str, codebase: Codebase) -> Applied:
    try:
        diff.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError("The diff holds characters that no file can hold.") from error
    if sum(map(int, _UNFOLDS.findall(diff))) > _LARGEST_UNFOLDED:
        raise UsageError("The binary files of the diff are larger than 64 MB in all.")
    named = named_paths(diff)
    for path in (*named.prefixed, *named.bare):
        if is_outside(path):
            raise UsageError(f"The diff names {show_path(path)}, which no patch may touch.")
    bases = {
        path: State(codebase.files[path].encode(), codebase.files[path].executable)
        for path in named.candidates()
        if path in codebase.files
    }
    complaints: list[str] = []
    for attempt in attempts(diff, named, {path: base.content for path, base in bases.items()}):
        try:
            states = _applied(attempt, bases)
        except GitFailedError as error:
            complaints.append(error.message)
        else:
            _check_known(states, bases, codebase)
            return Applied(_patch(states, codebase), attempt.notes)
    raise _does_not_apply(complaints, named, codebase)


def _check_known(
    states: Mapping[str, State | None], bases: Mapping[str, State], codebase: Codebase
) -> None:
    """Refuse to overwrite a file that the diff names differently, for example `src//app.py`.

    Raises:
        UsageError: it would overwrite one.
    """
    for path in states:
        if path in codebase.files and path not in bases:
            raise UsageError(f"The diff makes {show_path(path)}, which is there already.")


def _patch(states: Mapping[str, State | None], codebase: Codebase) -> Patch:
    """Make the patch that puts the paths into these states."""
    old: dict[str, State] = {}
    new: dict[str, State] = {}
    for path, state in states.items():
        check_editable(path)
        if path in codebase.skipped:
            raise UsageError(
                f"The patch touches {show_path(path)}, which was not read: "
                f"{codebase.skipped[path]}."
            )
        file = codebase.files.get(path)
        base = State(file.encode(), file.executable) if file else None
        if base == state:
            continue
        if base:
            old[path] = base
        if state:
            new[path] = state
    touched = sorted({*old, *new})
    _check_folders(touched, new, codebase)
    files = []
    for path in touched:
        after = new.get(path)
        files.append(
            FileChange(path, after.content, after.executable) if after else FileChange(path, None)
        )
    return Patch.of(_diff(touched, old, new), tuple(files)) if touched else UNEDITED


def _check_folders(touched: Iterable[str], new: Mapping[str, State], codebase: Codebase) -> None:
    """Refuse a path that would be a file and a folder at once."""
    added = [path for path in new if path not in codebase.files]
    gone = {*touched} - {*new}

    def is_file(path: str) -> bool:
        held = path in codebase.files or path in codebase.skipped
        return path in new or (held and path not in gone)

    for path in added:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if is_file(above):
                raise UsageError(f"{show_path(path)} cannot be made: {show_path(above)} is a file.")
        inside = path + "/"
        for other in (*codebase.files, *codebase.skipped):
            if other.startswith(inside) and is_file(other):
                raise UsageError(f"{show_path(path)} cannot be made: it is a folder.")


def _diff(touched: Iterable[str], old: Mapping[str, State], new: Mapping[str, State]) -> str:
    opaque = {path for path in touched if not all(_is_text(side.get(path)) for side in (old, new))}
    readable = [path for path in touched if path not in opaque]
    with Scratch() as scratch:
        parts = []
        for paths, options in ((readable, ()), (sorted(opaque), _as_binary(scratch))):
            if paths:
                trees = [
                    scratch.tree({path: side[path] for path in paths if path in side})
                    for side in (old, new)
                ]
                parts.append(scratch.run([*options, *_DIFF, *trees]))
    # Git cuts the line after @@ at 80 bytes, even inside a character. Everything
    # else here is UTF-8.
    return b"".join(parts).decode("utf-8", "replace")


def _is_text(state: State | None) -> bool:
    if state is None:
        return True
    try:
        state.content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in state.content


def _as_binary(scratch: Scratch) -> tuple[str, ...]:
    attributes = scratch.folder / "binary"
    attributes.write_bytes(b"* -diff\n")
    return ("-c", f"core.attributesFile={attributes}")


def _applied(attempt: Attempt, bases: Mapping[str, State]) -> dict[str, State | None]:
    """Apply an attempt's text to its form of the bases. Returns the states it leads to.

    Raises:
        GitFailedError: it does not apply.
        UsageError: it makes links.
    """
    before = {
        path: State(attempt.bases.get(path, base.content), base.executable)
        for path, base in bases.items()
    }
    text = attempt.text.encode("utf-8", "surrogateescape")
    with Scratch() as scratch:
        old = scratch.tree(before)
        scratch.run(["read-tree", old])
        scratch.run(["apply", "--cached", "--whitespace=nowarn", *attempt.options], text)
        new = scratch.run(["write-tree"]).decode("ascii").strip()
        changed = list(scratch.differences(old, new))
        there = [difference for difference in changed if difference.mode]
        for difference in there:
            if difference.mode not in {REGULAR, EXECUTABLE}:
                raise UsageError(
                    f"The diff makes {show_path(difference.path)} a link or a submodule; "
                    "patches hold files only."
                )
        contents = scratch.contents([difference.object_id for difference in there])
    states: dict[str, State | None] = {difference.path: None for difference in changed}
    for difference, content in zip(there, contents, strict=True):
        crlf = difference.path in attempt.bases
        states[difference.path] = State(
            content.replace(b"\n", b"\r\n") if crlf else content, difference.mode == EXECUTABLE
        )
    return states


def _does_not_apply(complaints: list[str], named: Named, codebase: Codebase) -> UsageError:
    unread = [path for path in named.candidates() if path in codebase.skipped]
    if unread:
        reason = codebase.skipped[unread[0]]
        return UsageError(f"The diff touches {show_path(unread[0])}, which was not read: {reason}.")
    # Complaints about the content are more useful than those about the form.
    telling = [said for said in complaints if "patch failed" in said or "No such file" in said]
    said = (telling or complaints)[0].replace("error: ", "").replace("\n", "; ")
    return UsageError(
        f"The diff does not apply: {said}",
        hint="It must be a unified diff against the base commit.",
    )
