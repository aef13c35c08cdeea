"""Running an environment's setup command, once, before any script."""

from __future__ import annotations

import logging
import shlex
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable, UsageError
from sandbox.launch import FOLDER, TO_BASH, StagedFile
from sandbox.protocol import Ending, Limits
from sandbox.refusals import Code

if TYPE_CHECKING:
    from data.instances.instance import Environment
    from sandbox.supervise import ProcessResult

SETUP_LIMITS = Limits(
    timeout_s=3600,
    memory_mb=16_384,
    processes=4096,
    disk_mb=50_000,
    file_mb=50_000,
    output_chars=20_000,
    output_mb=1024,
    cpus=64,
)

COMMIT = """\
if command -v git >/dev/null 2>&1; then
  committing() {
    GIT_AUTHOR_DATE=2000-01-01T00:00:00Z GIT_COMMITTER_DATE=2000-01-01T00:00:00Z \\
    git -c user.name=troop -c user.email=troop@localhost -c commit.gpgsign=false \\
      -c core.autocrlf=false -c core.hooksPath=/dev/null -c init.defaultBranch=main \\
      -c safe.directory='*' -c gc.auto=0 "$@"
  }
  committing init -q --template= . && committing add -A -f . &&
    committing commit -q --allow-empty -m 'The base commit' || exit @NOT_COMMITTED
fi
""".replace("@NOT_COMMITTED", str(Code.NOT_COMMITTED.value))
"""Shell lines that turn the folder into a repository of one commit, if there is git."""

_SHOWN_CHARS = 3000
_LOG = logging.getLogger(__name__)


def wanted(environment: Environment) -> bool:
    """Whether there is a setup to run."""
    return bool(environment.setup.strip())


def setup_files(
    environment: Environment,
    mark: bytes,
    *,
    first: str = "",
    last: str = "",
    folder: str = FOLDER,
) -> list[StagedFile]:
    """What a sandbox needs to run the setup, to be started as `sh <folder>/prepare.sh`.

    `first`: shell lines that run in the repository before the environment is
    entered; `last`: lines that run after the setup succeeded. The folder is emptied at
    the end, because it may become part of an image.
    """
    at = shlex.quote(folder)
    lines = [
        TO_BASH,
        "exec 2>&1 </dev/null",
        "umask 022",
        f"cd {shlex.quote(environment.repo_dir)} || exit {Code.NO_REPOSITORY.value}",
        first,
        f". {at}/activate.sh || exit {Code.NOT_ACTIVATED.value}" if wanted(environment) else "",
        f"printf '\\036%s\\n' {mark.strip().decode()}",
        f"(set -e; . {at}/setup.sh)",
        "code=$?",
        *([f"if [ $code = 0 ]; then\n{last}fi"] if last else []),
        f"rm -rf {at}/setup.sh {at}/activate.sh {at}/prepare.sh {at}/files; exit $code",
    ]
    return [
        StagedFile("prepare.sh", "\n".join(lines).encode() + b"\n"),
        StagedFile("activate.sh", environment.activate.encode() + b"\n"),
        StagedFile("setup.sh", environment.setup.encode() + b"\n"),
    ]


def check_setup(result: ProcessResult, environment: Environment, where: str) -> None:
    """Raise an error for people if the setup did not succeed.

    Raises:
        UsageError: the command failed.
        SandboxError: it was never started.
    """
    if not result.started:
        raise _not_begun(result, environment, where)
    if result.ending is Ending.EXITED and result.exit_code == 0:
        return
    how = f"exit {result.exit_code}" if result.ending is Ending.EXITED else result.ending
    _LOG.error("The setup's output:\n%s", result.output)
    raise UsageError(
        f"The setup command failed ({how}) in {where}. The end of its output:\n"
        f"{result.output[-_SHOWN_CHARS:]}",
        hint="Correct the setup command, or give an environment that has what it needs.",
    )


def _not_begun(result: ProcessResult, environment: Environment, where: str) -> SandboxError:
    said = result.preamble.strip()[-_SHOWN_CHARS:]
    match result.exit_code:
        case Code.NO_REPOSITORY:
            return SandboxUnavailable(
                f"There is no folder {environment.repo_dir} in {where}.",
                hint="Give the folder that holds the repository as `repo_dir`.",
            )
        case Code.NOT_ACTIVATED:
            what = "The environment could not be activated"
        case Code.NOT_COMMITTED:
            what = "The commit could not be recorded with git"
        case _:
            what = "The setup could not be started"
    return SandboxError(f"{what} in {where} (exit code {result.exit_code}). {said}".strip())
