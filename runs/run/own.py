"""A person's own repository as an instance."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from data.codebases.checkout import read_checkout
from data.instances.repository import own_repository, read_issue, untracked_files
from data.languages.languages import find_language
from data.patches.parts import parts_of
from data.paths import show_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.codebases.checkout import Checkout
    from data.codebases.filtered import Filtered
    from data.instances.instance import Instance

_FETCHED = {"Git LFS": "git lfs pull", "git-crypt": "git-crypt unlock"}
_SHOWN = 3
"""How many files a note names."""


def own_instance(
    repository: Path,
    issue: str | Path,
    *,
    local: bool,
    image: str | None = None,
    setup: str = "",
    repo_dir: str = "/testbed",
    language: str = "",
) -> tuple[Instance, list[str]]:
    """The instance, on the given image or its language's, and notes for the person.

    Args:
        repository: a git repository.
        issue: its text, or the file that holds it.
        local: use no image.
        image: the Docker image that the repository is put on.
        setup: the command that installs the repository, run once with network.
        repo_dir: the folder of the image that it is put in.
        language: the repository's language; "": that of most of its source.

    Raises:
        UsageError: the repository or the issue cannot be used.
    """
    instance = own_repository(
        repository,
        issue if isinstance(issue, str) else read_issue(issue),
        image=None if local else image,
        setup=setup,
        repo_dir=repo_dir,
        language=language,
    )
    where = instance.environment
    written = find_language(where.language)
    if where.image is None and not local:
        where = replace(where, image=written.image)
    how = "as you say" if language else "going by its files; if not, give --language"
    notes = [
        f"The repository is in {written.title} ({how}). Test scripts are in {written.script.name}"
        + (f" and run on the image {where.image}." if where.image else ".")
    ]
    source = where.source or repository
    notes += checkout_notes(read_checkout(source, instance.base_commit))
    own = None if isinstance(issue, str) else issue.resolve()
    if left := [path for path in untracked_files(source) if source / path != own]:
        notes.append(f"Files that git does not track are left out: {_shown(left)}.")
    return replace(instance, environment=where), notes


def checkout_notes(checkout: Checkout) -> list[str]:
    """Where scripts and model see something else than a person who looks into the folder."""
    notes = []
    if missing := checkout.not_checked_out():
        notes.append(
            f"Submodules that are not checked out are empty folders for scripts and model:"
            f" {_shown(missing)}. To check them out: git submodule update --init --recursive"
        )
    found = [
        (_state(one), prefix + path)
        for prefix, each in checkout.walk()
        for path, one in each.filtered.items()
        if one.by
    ]
    for state, group in groupby(sorted(found), key=lambda pair: pair[0]):
        notes.append(f"{state}: {_shown([path for _, path in group])}.")
    return notes


def patch_notes(instance: Instance, patch: str) -> list[str]:
    """What to know before a patch of one's own repository is applied."""
    source = instance.environment.source
    if source is None or not source.is_dir():
        return []
    edited = {section.path for section in parts_of(patch).sections}
    folders = [prefix for prefix, _ in read_checkout(source, instance.base_commit).walk() if prefix]
    touched = [each for each in folders if any(path.startswith(each) for path in edited)]
    if not touched:
        return []
    named = _shown([each.removesuffix("/") for each in touched])
    return [f"The patch edits a submodule ({named}). Apply it in the top folder, without --index."]


def _state(file: Filtered) -> str:
    if file.digest:
        return (
            f"Files that git stores in another form ({file.by}) are as in your working copy;"
            " the model neither reads nor edits them"
        )
    if file.has_pointer:
        return (
            f"Scripts do not see the content of files stored by {file.by}, because it is not here"
            f" (to fetch it: {_FETCHED[file.by]})"
        )
    return (
        f"Scripts see files that git stores in another form ({file.by}) as git stores them, because"
        " your working copy has changed them (to restore them: git checkout HEAD -- FILE)"
    )


def _shown(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(map(show_path, paths[:_SHOWN])) + more
