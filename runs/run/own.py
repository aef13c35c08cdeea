"""A person's own repository as an instance that can be worked on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from data.instances.repository import own_repository, read_issue, untracked_files
from data.languages.languages import find_language

if TYPE_CHECKING:
    from pathlib import Path

    from data.instances.instance import Instance

_SHOWN = 3
"""Files that are named."""


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
    """The instance, on the image that is given or its language's, and notes for the person.

    Args:
        repository: a git repository.
        issue: its text, or the file that holds it.
        local: no image is used.
        image: a Docker image to lay the repository on.
        setup: installs the repository, run once with network.
        repo_dir: where in the image it lies.
        language: what it is written in; "": what most of its source is.

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
    how = "as you say" if language else "by its files; --language says otherwise"
    notes = [
        f"the repository is in {written.title} ({how}): test scripts in {written.script.name}"
        + (f", on the image {where.image}" if where.image else "")
    ]
    source = where.source or repository
    own = None if isinstance(issue, str) else issue.resolve()
    if left := [path for path in untracked_files(source) if source / path != own]:
        shown = ", ".join(left[:_SHOWN]) + (" …" if len(left) > _SHOWN else "")
        notes.append(f"files that git does not track are left out: {shown}")
    return replace(instance, environment=where), notes
