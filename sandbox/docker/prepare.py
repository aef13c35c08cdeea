"""Images made for one's own repository: its commit laid on an image, its setup run once."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable, UsageError
from sandbox.docker.containers import RunningContainer, tar_of
from sandbox.docker.labels import image_labels, label_changes
from sandbox.docker.settings import container_settings, trusted
from sandbox.gitsource import commit_tar, full_commit
from sandbox.launch import FOLDER, TO_BASH, Code, StagedFile
from sandbox.protocol import Ending, Limits
from sandbox.supervise import new_mark, supervise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.instance import Environment
    from sandbox.docker.containers import Containers
    from sandbox.docker.engine import Engine, Image
    from sandbox.supervise import Finish, Stop

REPOSITORY = "troop/prepared"

_RECIPE = 1
_SETUP_LIMITS = Limits(
    timeout_s=3600, disk_mb=50_000, file_mb=50_000, output_chars=20_000, output_mb=1024
)
_SHOWN_CHARS = 3000
_LOG = logging.getLogger(__name__)

_COMMIT = """\
if command -v git >/dev/null 2>&1; then
  export GIT_AUTHOR_DATE=2000-01-01T00:00:00Z GIT_COMMITTER_DATE=2000-01-01T00:00:00Z
  committing() {
    git -c user.name=troop -c user.email=troop@localhost -c commit.gpgsign=false \\
      -c core.autocrlf=false -c core.hooksPath=/dev/null -c init.defaultBranch=main \\
      -c safe.directory='*' -c gc.auto=0 "$@"
  }
  committing init -q . && committing add -A -f . &&
    committing commit -q --allow-empty -m 'The base commit' || exit @NOT_COMMITTED
  unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE
fi
""".replace("@NOT_COMMITTED", str(Code.NOT_COMMITTED.value))


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes prepared images, and finds those made before."""

    engine: Engine
    containers: Containers
    base: Image
    environment: Environment
    labels: Mapping[str, str]

    def image(self, commit: str, stop: Stop) -> Image:
        """The image that holds `commit` (of `Environment.source`) with its setup done.

        Raises:
            UsageError: no such commit, or the setup failed.
            SandboxError: the engine failed.
        """
        source = self.environment.source
        whole = full_commit(source, commit) if source else ""
        name = f"{REPOSITORY}:{self._digest(whole)}"
        if not self.engine.has_image(name):
            self._make(name, whole, stop)
        return self.engine.image(name)

    def _digest(self, commit: str) -> str:
        environment = self.environment
        parts = (
            str(_RECIPE),
            self.base.id,
            commit,
            environment.repo_dir,
            environment.activate,
            environment.setup,
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    def _make(self, name: str, commit: str, stop: Stop) -> None:
        _LOG.info("Preparing %s from %s", name, self.base.name)
        mark = new_mark()
        settings = container_settings(self.base, (), self.labels, {"TERM": "dumb"})
        # An entrypoint that is reset, so that the image made of this keeps none.
        settings |= {"entrypoint": [""], "command": ["/bin/sh", f"{FOLDER}/prepare.sh"]}
        host = trusted(network=bool(self.environment.setup.strip()))
        with self.containers.new(settings, host) as container:
            if self.environment.source:
                prefix = self.environment.repo_dir.strip("/")
                with commit_tar(self.environment.source, commit, prefix) as tar:
                    self.engine.put(container, tar)
            stop.check()
            self.engine.put(container, tar_of(self._files(mark), FOLDER.strip("/")))
            with contextlib.closing(self.engine.attach(container)) as output:
                self.engine.start(container)
                process = RunningContainer(self.engine, container, output)
                finish = supervise(process, _SETUP_LIMITS, mark, stop)
            self._check(finish)
            changes = [*label_changes(image_labels("prepared")), 'CMD ["/bin/sh"]']
            self.engine.commit(container, name, changes)

    def _files(self, mark: bytes) -> list[StagedFile]:
        environment = self.environment
        lines = [
            TO_BASH,
            "exec 2>&1 </dev/null",
            f"cd {shlex.quote(environment.repo_dir)} || exit {Code.NO_REPOSITORY.value}",
            _COMMIT if environment.source else "",
            f". {FOLDER}/activate.sh || exit {Code.NOT_ACTIVATED.value}"
            if environment.activate
            else "",
            f"printf '\\036%s\\n' {mark.strip().decode()}",
            f"(set -e; . {FOLDER}/setup.sh)",
            f"code=$?; rm -rf {FOLDER}; exit $code",
        ]
        return [
            StagedFile("prepare.sh", "\n".join(lines).encode() + b"\n"),
            StagedFile("activate.sh", environment.activate.encode() + b"\n"),
            StagedFile("setup.sh", environment.setup.encode() + b"\n"),
        ]

    def _check(self, finish: Finish) -> None:
        if not finish.started:
            raise self._not_begun(finish)
        if finish.ending is Ending.EXITED and finish.exit_code == 0:
            return
        how = f"exit {finish.exit_code}" if finish.ending is Ending.EXITED else finish.ending
        _LOG.error("The setup's output:\n%s", finish.output)
        raise UsageError(
            f"The setup command failed ({how}) in {self.base.name}."
            f" The end of its output:\n{finish.output[-_SHOWN_CHARS:]}",
            mend="Correct the setup command, or use an image that has what the setup needs.",
        )

    def _not_begun(self, finish: Finish) -> SandboxError:
        said = finish.preamble.strip()[-_SHOWN_CHARS:]
        where = f"the image {self.base.name}"
        match finish.exit_code:
            case Code.NO_REPOSITORY:
                return SandboxUnavailable(
                    f"There is no folder {self.environment.repo_dir} in {where}.",
                    mend="Give the folder that holds the repository as `repo_dir`.",
                )
            case Code.NOT_ACTIVATED:
                what = "The environment could not be activated"
            case Code.NOT_COMMITTED:
                what = "The commit could not be recorded with git"
            case _:
                what = "The setup could not be started"
        return SandboxError(f"{what} in {where} (exit {finish.exit_code}). {said}".strip())
