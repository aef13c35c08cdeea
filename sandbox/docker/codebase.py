"""Reading the codebase out of an image."""

from __future__ import annotations

import contextlib
import logging
import shlex
import tempfile
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from data.codebases.checkout import stored_instead
from data.codebases.reader import MAX_FILE_BYTES, codebase_from_tar
from data.errors import SandboxError, SandboxUnavailable
from sandbox.docker.containers.settings import walled
from sandbox.launch import FOLDER, StagedFile
from sandbox.output import escape_controls
from sandbox.protocol import Limits

if TYPE_CHECKING:
    from data.codebases.codebase import Codebase
    from sandbox.docker.containers.ground import Ground
    from sandbox.supervise import Stop

_READ_S = 600.0
_WAIT_S = 60.0
_SPOOL_BYTES = 64 << 20
_SAID_BYTES = 4096
_LIMITS = Limits(memory_mb=2048)
_LOG = logging.getLogger(__name__)

# The list goes through a file, so that nothing is half sent if git fails. In HOME, every
# version of git looks for the permission to read another user's repository.
_LIST = """\
cd {repo} || exit 1
export HOME={folder}
command -v git >/dev/null && command -v tar >/dev/null || exit 1
git ls-files -z --cached --recurse-submodules >{folder}/list 2>/dev/null ||
  git ls-files -z --cached >{folder}/list || exit 1
[ -s {folder}/list ] || exit 1
tar --null --no-recursion --ignore-failed-read -cf - -T {folder}/list || exit 1
"""
_GITCONFIG = b"[safe]\n\tdirectory = *\n"


@dataclass(frozen=True, slots=True)
class CodebaseSource:
    """The repository in an image."""

    ground: Ground

    def read(self, stop: Stop, largest: int = MAX_FILE_BYTES) -> Codebase:
        """The tracked files, or all files if git cannot list them, of up to `largest` bytes each.

        Raises:
            Stopped: the order to stop was given.
            SandboxUnavailable: the image has no `repo_dir`.
            SandboxError: the engine failed.
        """
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOL_BYTES)) as spool:
            host = walled(_LIMITS, self.ground.machine)
            with self.ground.container("list.sh", host) as container:
                if not self._tracked(container, spool, stop):
                    spool.seek(0)
                    spool.truncate()
                    self._whole(container, spool, stop)
            spool.seek(0)
            checkout = self.ground.checkout
            instead = stored_instead(checkout) if checkout else ()
            return codebase_from_tar(spool, instead=instead, largest=largest)

    def _tracked(self, container: str, spool: BinaryIO, stop: Stop) -> bool:
        """Write a tar of the tracked files into `spool`; False: they cannot be listed."""
        text = _LIST.format(repo=shlex.quote(self.ground.environment.repo_dir), folder=FOLDER)
        files = [StagedFile("list.sh", text.encode()), StagedFile(".gitconfig", _GITCONFIG)]
        self.ground.put(container, files)
        said = bytearray()
        with contextlib.closing(self.ground.engine.attach(container)) as output:
            stop.listen(output.close)
            clock = threading.Timer(_READ_S, output.close)
            clock.daemon = True
            clock.start()
            try:
                self.ground.engine.start(container)
                for standard, data in output.frames():
                    if standard:
                        spool.write(data)
                    elif len(said) < _SAID_BYTES:
                        said += data
                stop.check()
                code = self.ground.engine.wait(container, _WAIT_S)
            finally:
                clock.cancel()
                stop.check()
        if code != 0:
            reason = escape_controls(said.decode("utf-8", "replace")).strip()
            _LOG.info("git lists no files (exit %d), so all files are read. %s", code, reason)
        return code == 0

    def _whole(self, container: str, spool: BinaryIO, stop: Stop) -> None:
        """Write a tar of all that is in `repo_dir` into `spool`; the reader leaves `.git` out."""
        repo_dir = self.ground.environment.repo_dir
        try:
            for chunk in self.ground.engine.archive(
                container, f"{self.ground.environment.repo_dir}/."
            ):
                stop.check()
                spool.write(chunk)
        except SandboxError as error:
            if "Could not find the file" not in error.message:
                raise
            raise SandboxUnavailable(
                f"There is no folder {repo_dir} in the image {self.ground.image.name}.",
                hint="Give the folder that holds the repository as `repo_dir`.",
            ) from error
