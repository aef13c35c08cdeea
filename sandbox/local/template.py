"""A checkout's files, exported once and set up, which executions copy."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shlex
import shutil
import sys
import tarfile
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, cast

from data.codebases.commits import open_checkout
from sandbox.local.folders import give_tree, remove_tree
from sandbox.local.isolation import base_python, new_uid
from sandbox.local.process import Launch, Room, run
from sandbox.locks import held
from sandbox.setup import COMMIT, SETUP_LIMITS, check_setup, setup_files, wanted
from sandbox.supervise import new_mark

if TYPE_CHECKING:
    from pathlib import Path

    from data.codebases.checkout import Checkout
    from data.instances.instance import Environment
    from sandbox.local.isolation import Isolation
    from sandbox.supervise import Stop

_RECIPE = 1
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

    def get(self, environment: Environment, checkout: Checkout, stop: Stop) -> Template:
        """The template of a checkout, which is made if there is none yet.

        Raises:
            Stopped: the order to stop was given.
            UsageError: git cannot read the commit, or the setup failed.
        """
        folder = self.base / self._digest(environment, checkout.key)
        found = Template(folder / "repo", folder / "venv" if wanted(environment) else None)
        ready = folder / "ready"
        if ready.exists():
            return found
        with held(folder.with_suffix(".lock"), stop):
            if not ready.exists():
                remove_tree(folder)
                try:
                    found.repo.mkdir(parents=True)
                    _export(checkout, found.repo)
                    if found.venv is not None:
                        self._set_up(folder, found.repo, found.venv, environment, stop)
                except BaseException:
                    remove_tree(folder)
                    raise
                ready.touch()
        return found

    def _digest(self, environment: Environment, key: str) -> str:
        parts = [str(_RECIPE), key]
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
        result = run(room, Launch("prepare.sh", files, mark, SETUP_LIMITS, setup=True), stop)
        check_setup(result, environment, "the local sandbox")
        remove_tree(work)


def _export(checkout: Checkout, target: Path) -> None:
    """Write a checkout's files, with the links last, so that no link is followed."""
    links = []
    with (
        open_checkout(checkout) as stream,
        tarfile.open(fileobj=stream, mode="r|", encoding="utf-8") as archive,
    ):
        for member in archive:
            path = target / member.name
            if member.issym():
                links.append((path, member.linkname))
            elif member.isdir():
                path.mkdir(parents=True, exist_ok=True)
            else:
                _write(archive, member, path)
    for path, points_to in links:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.symlink_to(points_to)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = cast(IO[bytes], archive.extractfile(member))
    try:
        with path.open("xb") as file:
            shutil.copyfileobj(content, file)
    except FileExistsError:
        _LOG.warning("%s is left out: only its case differs from another name", member.name)
        return
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
