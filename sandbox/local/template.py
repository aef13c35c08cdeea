"""A commit's files, exported once, with their setup done: what executions copy."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import shlex
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.paths import decode_path
from sandbox.gitsource import Kind, commit_entries
from sandbox.local.folders import give_tree, remove_tree
from sandbox.local.isolation import base_python, new_uid
from sandbox.local.process import Job, Room, run
from sandbox.setup import COMMIT, SETUP_LIMITS, check_setup, setup_files, wanted
from sandbox.supervise import new_mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.instance import Environment
    from sandbox.local.isolation import Isolation
    from sandbox.supervise import Stop

_RECIPE = 1
_LOCK_S = 0.1
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Template:
    """The state that every execution starts from."""

    repo: Path
    venv: Path | None
    """The virtual environment that the setup installed into."""


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates on this machine, shared by all processes."""

    base: Path
    isolation: Isolation

    def get(self, environment: Environment, source: Path, commit: str, stop: Stop) -> Template:
        """The template of `commit` (whole hash) of `source`, made where it is not yet.

        Raises:
            Stopped: the order to stop was given.
            UsageError: git cannot read the commit, or the setup failed.
        """
        folder = self.base / self._digest(environment, commit)
        found = Template(folder / "repo", folder / "venv" if wanted(environment) else None)
        ready = folder / "ready"
        if ready.exists():
            return found
        with _locked(folder.with_suffix(".lock"), stop):
            if not ready.exists():
                remove_tree(folder)
                try:
                    found.repo.mkdir(parents=True)
                    _export(source, commit, found.repo)
                    if found.venv is not None:
                        self._set_up(folder, found.repo, found.venv, environment, stop)
                except BaseException:
                    remove_tree(folder)
                    raise
                ready.touch()
        return found

    def _digest(self, environment: Environment, commit: str) -> str:
        parts = [str(_RECIPE), commit]
        if wanted(environment):
            parts += [environment.repo_dir, environment.activate, environment.setup]
            parts += [os.fspath(base_python()), sys.version, self.isolation.value]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    def _set_up(
        self, folder: Path, repo: Path, venv: Path, environment: Environment, stop: Stop
    ) -> None:
        _LOG.info("Running the setup in %s", folder)
        uid = new_uid(self.isolation)
        venv.mkdir()
        give_tree(repo, uid)
        give_tree(venv, uid)
        work = folder / "work"
        work.mkdir()
        room = Room(work, repo, venv, self.isolation, environment.repo_dir, uid)
        mark = new_mark()
        seen = replace(environment, repo_dir=room.repo_dir)
        python = shlex.quote(os.fspath(base_python()))
        first = f"{python} -m venv {shlex.quote(room.venv_dir)} || exit 1\n{COMMIT}"
        files = setup_files(seen, mark, first=first, folder=room.tools_dir)
        finish = run(room, Job("prepare.sh", files, mark, SETUP_LIMITS, setup=True), stop)
        check_setup(finish, environment, "the local sandbox")
        remove_tree(work)


def _export(source: Path, commit: str, target: Path) -> None:
    """Write a commit's files, the links last, so that none is ever followed."""
    links = []
    for entry in commit_entries(source, commit):
        path = target / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.kind is Kind.LINK:
            links.append((path, decode_path(entry.content)))
            continue
        try:
            with path.open("xb") as file:
                file.write(entry.content)
        except FileExistsError:
            _LOG.warning("%s is there already under another case; left out", entry.path)
            continue
        path.chmod(0o755 if entry.kind is Kind.EXECUTABLE else 0o644)
    for path, points_to in links:
        with contextlib.suppress(FileExistsError):
            path.symlink_to(points_to)


@contextlib.contextmanager
def _locked(path: Path, stop: Stop) -> Iterator[None]:
    """Hold a lock between processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stop.sleep(_LOCK_S)
        yield
