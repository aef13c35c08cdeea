"""From edits to the new contents of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.edits.changing import Problems, created_text, replaced_text
from agent.edits.nouns import Create, Delete, Edited, EditMismatch, FileEdit, Replace
from agent.edits.paths import missing_file, resolve
from data.codebases.codebase import SourceFile
from data.paths import show_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.codebases.codebase import Codebase


def apply_edits(
    edits: Iterable[FileEdit], codebase: Codebase, *, repo_dir: str = "/testbed"
) -> Edited:
    """Apply `edits` to the codebase as it is; they never build on earlier edits.

    A <create> of a file that exists replaces the whole file, with a note, in
    that file's encoding and line endings. `repo_dir` is where the repository
    lies in the sandbox: the model may write paths below it.

    Raises:
        EditMismatch: the edits do not fit, or change nothing. None is applied.
    """
    problems = Problems()
    notes: list[str] = []
    changes: dict[str, bytes | None] = {}
    for path, parts in _by_path(edits, codebase, repo_dir, problems, notes).items():
        try:
            content = _content(path, parts, codebase, problems, notes)
        except EditMismatch as problem:
            problems.add(show_path(path), str(problem))
            continue
        file = codebase.files.get(path)
        if file is not None and content is not None and content == file.encode():
            notes.append(f"{show_path(path)} stays as it is.")
        else:
            changes[path] = content
    _check_folders(changes, codebase, problems)
    problems.check()
    if not changes:
        raise EditMismatch(
            "Your edits change nothing: what they write is what the files hold already."
        )
    return Edited(changes, tuple(notes))


def _by_path(
    edits: Iterable[FileEdit],
    codebase: Codebase,
    repo_dir: str,
    problems: Problems,
    notes: list[str],
) -> dict[str, list[FileEdit]]:
    by_path: dict[str, list[FileEdit]] = {}
    for edit in edits:
        guess = isinstance(edit, Replace)
        try:
            path, note = resolve(edit.path, codebase, repo_dir, may_guess=guess)
        except EditMismatch as problem:
            problems.add("a path", str(problem))
            continue
        by_path.setdefault(path, []).append(edit)
        if note and note not in notes:
            notes.append(note)
    return by_path


def _content(
    path: str,
    parts: list[FileEdit],
    codebase: Codebase,
    problems: Problems,
    notes: list[str],
) -> bytes | None:
    """The file's new content; None if it is deleted or if a problem was found."""
    file = codebase.files.get(path)
    blocks = [block for edit in parts if isinstance(edit, Replace) for block in edit.blocks]
    match parts:
        case [Create(content=content)]:
            text: str | None = created_text(path, content, file, notes)
        case [Delete(), *rest] if all(isinstance(edit, Delete) for edit in rest):
            if file is None:
                raise EditMismatch(missing_file(path, codebase))
            return None
        case _ if all(isinstance(edit, Replace) for edit in parts):
            text = replaced_text(path, blocks, codebase, problems, notes)
        case _:
            raise EditMismatch(
                f"{show_path(path)} is named by several tags that do not go together. A file takes"
                " either <edit>, or one <create>, or <delete>."
            )
    return None if text is None else _encoded(file or SourceFile(path, ""), text)


def _encoded(file: SourceFile, text: str) -> bytes:
    try:
        return file.encode(text)
    except UnicodeError as error:
        where = ""
        if isinstance(error, UnicodeEncodeError):
            line = text.count("\n", 0, error.start) + 1
            where = f" {text[error.start]!a} in line {line} of the new text"
        raise EditMismatch(
            f"{show_path(file.path)} is in the encoding {file.encoding}, which cannot hold"
            f"{where or ' the new text'}. Use characters that it has, or escapes."
        ) from None


def _check_folders(
    changes: dict[str, bytes | None], codebase: Codebase, problems: Problems
) -> None:
    """New files must not be folders of each other."""
    new = {path for path in changes if path not in codebase.files}
    for path in sorted(new):
        for at, char in enumerate(path):
            if char == "/" and path[:at] in new:
                problems.add(
                    show_path(path),
                    f"{show_path(path[:at])} cannot be a file, because {show_path(path)} is below"
                    " it.",
                )
