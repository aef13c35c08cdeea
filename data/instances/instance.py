"""The instance: one issue with its codebase."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """Where an instance's code is, and how its scripts are started."""

    image: str | None = None
    """The Docker image with the codebase and its dependencies; with `source`, the base image."""
    repo_dir: str = "/testbed"
    """Absolute path of the repository inside the sandbox."""
    activate: str = ""
    """Shell lines (POSIX sh or bash) that run before each script, for example to enter conda."""
    source: Path | None = None
    """A git repository on this machine whose `commit` is the codebase; None: the image holds it."""
    setup: str = ""
    """Shell command that installs the repository, run once with network, in `repo_dir`."""
    language: str = "python"
    """The repository's language (`data.languages.languages`), lowercase; "": unknown."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One issue with its codebase: all that the agent and the selector may know.

    The fields a benchmark grades with (gold patch, test patch, FAIL_TO_PASS,
    PASS_TO_PASS, hints, evaluation script) are left out on purpose: what the type
    does not have cannot leak into a prompt.
    """

    instance_id: str
    repo: str
    base_commit: str
    problem_statement: str
    environment: Environment

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over what defines the work: id, commit, issue text, environment."""
        where = self.environment
        parts = (
            *(self.instance_id, self.repo, self.base_commit, self.problem_statement),
            *(where.image or "", where.repo_dir, where.activate, where.setup),
            *(() if where.language == "python" else (where.language,)),
        )
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
