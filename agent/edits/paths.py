"""Which file of the codebase a path in a reply means."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from agent.edits.nouns import EditMismatch, clip, excerpt
from data.errors import UsageError
from data.paths import check_editable, show_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from data.codebases.codebase import Codebase

_DRIVE = re.compile(r"[A-Za-z]:/")
_MOST_COMPARED = 5_000
_LONGEST_COMPARED = 100
_ALIKE = 0.75


class Resolved(NamedTuple):
    """A path of the codebase, or of a file that can be added to it."""

    path: str
    note: str = ""


def resolve(written: str, codebase: Codebase, repo_dir: str, *, may_guess: bool) -> Resolved:
    """The file that `written` means.

    With `may_guess`, the path may begin with folders that the codebase lacks, if
    the rest names exactly one file. Only edits may guess, because their SEARCH
    text shows whether the guess is right.

    Raises:
        EditMismatch: the path leads out of the repository, into git's own
            folder, below a file, or to a file that we do not read.
    """
    if written in codebase.files:
        return Resolved(written)
    _check_skipped(written, codebase)
    path = _plain(written, repo_dir)
    if (
        path not in codebase.files
        and path[:2] in {"a/", "b/"}
        and not _is_folder(path[:1], codebase)
    ):
        inner = path[2:]
        if inner in codebase.files or ("/" in inner and _is_folder(_parent(inner), codebase)):
            path = inner
    if path not in codebase.files and may_guess:
        path = _without_prefix(path, codebase)
    path = _checked(path, written, codebase)
    if path == written.removeprefix("./"):
        return Resolved(path)
    return Resolved(path, f'The path "{excerpt(written)}" was taken as {show_path(path)}.')


def _closest_paths(path: str, codebase: Codebase) -> list[str]:
    """Up to three files that may have been meant."""
    parts = path.replace("\\", "/").split("/")
    name = parts[-1]
    names: dict[str, list[str]] = {}
    for known in codebase.files:
        names.setdefault(known.rpartition("/")[2], []).append(known)
    if name not in names:
        known_names = [known for known in names if len(known) <= _LONGEST_COMPARED]
        close = get_close_matches(name[:_LONGEST_COMPARED], known_names[:_MOST_COMPARED], 1, _ALIKE)
        name = close[0] if close else name
    wanted = set(parts)
    found = names.get(name, [])
    return sorted(found, key=lambda known: -len(wanted.intersection(known.split("/"))))[:3]


def _plain(written: str, repo_dir: str) -> str:
    """`written` with forward slashes and without ".", relative to the repository if possible."""
    path = written.strip().strip("`\"'").replace("\\", "/")
    folder = repo_dir.rstrip("/") + "/"
    if path.startswith(folder):
        path = path.removeprefix(folder).lstrip("/")
    rooted = path.startswith("/") or _DRIVE.match(path)
    plain = "/".join(part for part in path.split("/") if part not in {"", "."})
    slash = "/" if path.endswith("/") and plain else ""
    return f"{'/' if rooted else ''}{plain}{slash}"


def _without_prefix(path: str, codebase: Codebase) -> str:
    parts = path.lstrip("/").split("/")
    rests = ("/".join(parts[start:]) for start in range(0 if path[:1] == "/" else 1, len(parts)))
    known = [rest for rest in rests if rest in codebase.files]
    if len(known) > 1:
        raise EditMismatch(
            f"The path {_shown(path)} may mean {' or '.join(known[:3])}. Write it as it is shown"
            " above, relative to the root of the repository."
        )
    return known[0] if known else path


def _checked(path: str, written: str, codebase: Codebase) -> str:
    if path in codebase.files:
        return path
    _check_skipped(path, codebase)
    refused = f'The path "{excerpt(written)}" cannot be used: '
    if path.endswith("/") or _is_folder(path, codebase):
        raise EditMismatch(f"{refused}it names a folder.")
    if path.startswith("/") or _DRIVE.match(path):
        raise EditMismatch(f"{refused}write it relative to the root of the repository.")
    try:
        check_editable(path)
    except (UsageError, UnicodeError) as error:
        raise EditMismatch(f"{refused}{clip(str(error), 300)}") from None
    if not path.isprintable() or path[0] == "~" or any(_is_git(part) for part in path.split("/")):
        raise EditMismatch(f"{refused}name a file of the repository.")
    for parent in _parents(path):
        if parent in codebase.files or parent in codebase.skipped:
            raise EditMismatch(f"{refused}{show_path(parent)} is not a folder.")
    return path


def _check_skipped(path: str, codebase: Codebase) -> None:
    if path in codebase.skipped:
        reason = codebase.skipped[path]
        raise EditMismatch(f"{_shown(path)} cannot be edited here: {excerpt(reason, 300)}.")


def _is_git(part: str) -> bool:
    """Other names under which Windows and macOS find `.git`."""
    return part.rstrip(" .").lower() in {".git", "git~1"}


def _parents(path: str) -> Iterator[str]:
    while (path := _parent(path)) != "":
        yield path


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _is_folder(path: str, codebase: Codebase) -> bool:
    folder = f"{path}/"
    known: Iterable[Iterable[str]] = (codebase.files, codebase.skipped)
    return any(file.startswith(folder) for paths in known for file in paths)


def _shown(path: str) -> str:
    return excerpt(show_path(path), 200)


def missing_file(path: str, codebase: Codebase) -> str:
    """The message about a path that no file has."""
    close = _closest_paths(path, codebase)
    hint = f" Did you mean {' or '.join(map(_shown, close))}?" if close else ""
    return f"There is no file {_shown(path)}.{hint} To add a file, write <create>."
