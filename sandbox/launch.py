"""The shell script that lays a patch, enters the environment and starts the script.

It runs inside the sandbox, under any POSIX shell. Until it prints the mark, a
failure is the environment's or the patch's; from there on it is the script's.
"""

from __future__ import annotations

import enum
import math
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable, UsageError
from data.paths import check_editable, encode_path
from sandbox.protocol import Ending

if TYPE_CHECKING:
    from data.instance import Environment
    from data.patch import Patch
    from sandbox.protocol import Script
    from sandbox.supervise import Finish

FOLDER = "/troop"
"""Where the launcher, the script and the patch's files lie inside the sandbox."""

_SAID_CHARS = 2000
_SUFFIX = re.compile(r"(\.\w+)?")


class Code(enum.IntEnum):
    """What a launcher exits with where the script is not reached."""

    REFUSED = 211
    NO_REPOSITORY = 212
    NOT_ACTIVATED = 213
    NO_INTERPRETER = 214
    NOT_LAID = 216
    NOT_COMMITTED = 217


TO_BASH = """\
# Activation lines are often written for bash.
if [ -z "${BASH_VERSION:-}" ]; then
  for bash in /bin/bash /usr/bin/bash /usr/local/bin/bash; do
    [ -x "$bash" ] && exec "$bash" "$0"
  done
else
  set +o posix
fi
"""

_LAY = """\
umask 022
refuse() { printf 'troop: %s: %s\\n' "$1" "$2"; exit @REFUSED; }
own() { # every folder above $1 is a real one, so writing there stays in the repository
  rest=$1 at=$repo
  while case $rest in */*) true ;; *) false ;; esac; do
    at=$at/${rest%%/*} rest=${rest#*/}
    [ -L "$at" ] && refuse "$1" 'lies behind a symbolic link'
    [ -e "$at" ] && [ ! -d "$at" ] && refuse "$1" 'lies below a file'
  done
  [ -d "$repo/$1" ] && [ ! -L "$repo/$1" ] && refuse "$1" 'is a folder'
}
gone() {
  own "$1"
  rm -f "$repo/$1" || exit @NOT_LAID
  up=$1
  while case $up in */*) true ;; *) false ;; esac; do # as git does with emptied folders
    up=${up%/*}
    rmdir "$repo/$up" 2>/dev/null || break
  done
}
lay() {
  own "$2"
  case $2 in */*) [ -d "$repo/${2%/*}" ] || mkdir -p "$repo/${2%/*}" || exit @NOT_LAID ;; esac
  if [ -L "$repo/$2" ]; then rm -f "$repo/$2" || exit @NOT_LAID; fi
  mv -f "$troop/files/$1" "$repo/$2" || exit @NOT_LAID
}
""".replace("@REFUSED", str(Code.REFUSED.value)).replace("@NOT_LAID", str(Code.NOT_LAID.value))


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file to be put into the sandbox before the launcher runs."""

    name: str
    """Relative to `FOLDER`."""
    content: bytes
    executable: bool = False


def staged_files(
    environment: Environment,
    script: Script,
    patch: Patch,
    mark: bytes,
    *,
    guard_s: float | None = None,
    folder: str = FOLDER,
) -> list[StagedFile]:
    """What a sandbox needs to run `script`, to be started as `sh <folder>/launch.sh`.

    `guard_s`: seconds after which all processes of the sandbox end by
    themselves, for a sandbox whose owner may die; None: someone else watches.

    Raises:
        UsageError: the patch names a path that no patch may name, or the
            script's command cannot be read.
    """
    for change in patch.files:
        check_editable(change.path)
    name = f"script{script.suffix}"
    staged = [StagedFile(name, script.text.encode("utf-8", "replace"))]
    for number, change in enumerate(patch.files):
        if change.content is not None:
            staged.append(StagedFile(f"files/{number}", change.content, change.executable))
    if _activates(environment):
        staged.append(StagedFile("activate.sh", environment.activate.encode() + b"\n"))
    command = [*_command(script), f"{folder}/{name}"]
    lines = [
        *_entry(environment, folder),
        *_laying(patch),
        *_activation(environment, command[0]),
        *_guard(guard_s),
        b"printf '\\036%%s\\n' %s" % mark.strip(b"\x1e\n"),
        b"exec " + b" ".join(map(_quote, command)),
    ]
    return [*staged, StagedFile("launch.sh", b"\n".join(lines) + b"\n")]


def _command(script: Script) -> list[str]:
    try:
        words = shlex.split(script.interpreter)
    except ValueError as error:
        raise UsageError(f"The command {script.interpreter!r} cannot be read: {error}.") from error
    if not words or not _SUFFIX.fullmatch(script.suffix):
        raise UsageError(
            f"A script needs a command and a plain suffix,"
            f" not {script.interpreter!r} and {script.suffix!r}."
        )
    return words


def _activates(environment: Environment) -> bool:
    return bool(environment.activate.strip())


def _entry(environment: Environment, folder: str) -> list[bytes]:
    return [
        *([TO_BASH.encode()] if _activates(environment) else []),
        b"exec 2>&1 </dev/null",  # one stream, so that the order of the two is kept
        b"troop=" + _quote(folder),
        b"repo=" + _quote(environment.repo_dir),
        b'[ -d "$repo" ] || exit %d' % Code.NO_REPOSITORY,
    ]


def _laying(patch: Patch) -> list[bytes]:
    if not patch:
        return []
    changes = list(enumerate(patch.files))
    return [
        _LAY.encode(),
        *(b"gone " + _quote(c.path) for _, c in changes if c.content is None),
        *(b"lay %d %s" % (n, _quote(c.path)) for n, c in changes if c.content is not None),
    ]


def _activation(environment: Environment, interpreter: str) -> list[bytes]:
    activate = b'. "$troop/activate.sh" || exit %d' % Code.NOT_ACTIVATED
    return [
        *([activate] if _activates(environment) else []),
        b'cd "$repo" || exit %d' % Code.NO_REPOSITORY,
        b"command -v %s >/dev/null || exit %d" % (_quote(interpreter), Code.NO_INTERPRETER),
    ]


def _guard(guard_s: float | None) -> list[bytes]:
    if guard_s is None:
        return []
    # Started twice removed, so that it is no child that the script could wait for.
    return [b"( (sleep %d && kill -9 -1) >/dev/null 2>&1 & )" % math.ceil(guard_s)]


def _quote(word: str) -> bytes:
    return encode_path(shlex.quote(word))


def why_not_started(
    finish: Finish, environment: Environment, script: Script, where: str
) -> SandboxError | UsageError | None:
    """The error that tells why the launcher never came to the script; None: it does not say.

    `where`: what holds the repository, for people: "the image x".
    """
    if finish.ending is not Ending.EXITED:
        return _said(
            SandboxError,
            f"The environment in {where} was not ready before a limit"
            f" ({finish.ending}, {finish.duration_s:.0f} s)",
            finish,
            "Look at the activation lines, or at how busy the machine is.",
        )
    code = finish.exit_code
    if code not in {*Code, 126, 127, 137} and _activates(environment):
        code = Code.NOT_ACTIVATED  # lines that end the shell themselves
    error: type[SandboxError | UsageError]
    match code:
        case Code.REFUSED:
            error, what, mend = UsageError, f"The patch cannot be laid over {where}", ""
        case Code.NOT_LAID:
            error, what, mend = SandboxError, f"A file could not be written in {where}", ""
        case Code.NO_REPOSITORY:
            error, what = (
                SandboxUnavailable,
                f"There is no folder {environment.repo_dir} in {where}",
            )
            mend = "Give the folder that holds the repository as `repo_dir`."
        case Code.NO_INTERPRETER:
            error, what = SandboxUnavailable, f"There is no {script.interpreter!r} in {where}"
            mend = "Give the interpreter's name or path, or the lines that put it on the PATH."
        case Code.NOT_ACTIVATED:
            error, what = SandboxError, f"The environment in {where} could not be activated"
            mend = "Try the activation lines by hand."
        case _:
            return None
    return _said(error, what, finish, mend)


def _said(
    error: type[SandboxError | UsageError], what: str, finish: Finish, mend: str
) -> SandboxError | UsageError:
    said = finish.preamble.strip()[-_SAID_CHARS:]
    return error(f"{what}: {said}" if said else f"{what}.", mend=mend)
