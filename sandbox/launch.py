"""The shell script that lays a patch, enters the environment and starts the script.

It runs inside the sandbox, in any POSIX shell. A failure before it prints the mark
is of the environment or the patch; a failure after that is the script's.
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UsageError
from sandbox.laying import laying, quoted
from sandbox.refusals import Code, activates
from sandbox.starting.starting import (
    WORD,
    command_lines,
    hidden_by,
    start_of,
    start_program,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.instances.instance import Environment
    from data.patches.patch import Patch
    from sandbox.protocol import Script

FOLDER = "/troop"
"""The folder of the launcher, the script and the patch's files inside the sandbox."""

_SUFFIX = re.compile(r"(\.\w+)?")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

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


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file to be put into the sandbox before the launcher runs."""

    name: str
    """Relative to `FOLDER`."""
    content: bytes


def staged_files(
    environment: Environment,
    script: Script,
    patch: Patch,
    mark: bytes,
    *,
    word: str,
    guard_s: float | None = None,
    folder: str = FOLDER,
) -> list[StagedFile]:
    """What a sandbox needs to run `script`, to be started as `sh <folder>/launch.sh`.

    `word` proves that the script came to its end (`sandbox.starting`).
    `guard_s`: seconds after which all processes of the sandbox end by themselves, for a
    sandbox whose owner may die; None: somebody else watches.

    Raises:
        UsageError: the patch names a path that no patch may name, or the
            script's command cannot be read.
    """
    command = _command(script, folder)
    lines = [
        *_entry(environment, folder),
        b"exec 2>&1 </dev/null",  # one stream, so that the order of output and errors is kept
        *laying(patch),
        *_activation(environment),
        *_interpreter(command[0]),
        *_guard(guard_s),
        _print(mark),
        *command_lines(command, script, word, hidden_by(patch), b""),
    ]
    return [_script(script), *_start(script, word), *_activate(environment), _launcher(lines)]


def laying_files(environment: Environment, patch: Patch) -> list[StagedFile]:
    """What a sandbox needs only to lay `patch`.

    Raises:
        UsageError: the patch names a path that no patch may name.
    """
    return [_launcher([*_entry(environment, FOLDER, bash=False), *laying(patch)])]


def script_files(
    environment: Environment,
    script: Script,
    patch: Patch,
    mark: bytes,
    variables: Mapping[str, str | None],
    *,
    word: str,
    activate: bool,
    hidden: Sequence[str] = (),
) -> list[StagedFile]:
    """What a sandbox needs to run `script` with its output kept apart from the launcher's.

    All output before the script, including the mark, goes to standard error.
    `word` and `hidden`: see `sandbox.starting`.
    `variables`: the environment in which it starts (None: without that variable);
    `activate`: whether the activation lines run in it.

    Raises:
        UsageError: the patch names a path that no patch may name, or the
            script's command cannot be read.
    """
    command = _command(script, FOLDER)
    lines = [
        *_entry(environment, FOLDER, bash=activate),
        b"exec </dev/null",  # the script gets its own, where it leaves no trace
        *laying(patch),
        *_environment(variables),
        *(_activation(environment) if activate else [b'cd "$repo"']),
        *_interpreter(command[0]),
        _print(mark) + b" >&2",
        *command_lines(command, script, word, hidden, b"2>&1"),
    ]
    return [
        _script(script),
        *_start(script, word),
        *(_activate(environment) if activate else []),
        _launcher(lines),
    ]


def _environment(variables: Mapping[str, str | None]) -> list[bytes]:
    return [
        b"unset %s" % name.encode()
        if value is None
        else b"export %s=%s" % (name.encode(), quoted(value))
        for name, value in variables.items()
        if _NAME.fullmatch(name)
    ]


def _script(script: Script) -> StagedFile:
    return StagedFile(f"script{script.suffix}", script.text.encode("utf-8", "replace"))


def _start(script: Script, word: str) -> list[StagedFile]:
    if not word:
        return []
    start = start_of(script)
    program = [StagedFile(start, start_program(start))] if start else []
    return [StagedFile(WORD, f"{word}\n".encode()), *program]


def _activate(environment: Environment) -> list[StagedFile]:
    if not activates(environment):
        return []
    return [StagedFile("activate.sh", environment.activate.encode() + b"\n")]


def _launcher(lines: list[bytes]) -> StagedFile:
    return StagedFile("launch.sh", b"\n".join(lines) + b"\n")


def _command(script: Script, folder: str) -> list[str]:
    try:
        words = shlex.split(script.interpreter)
    except ValueError as error:
        raise UsageError(f"The command {script.interpreter!r} cannot be read: {error}.") from error
    if not words or not _SUFFIX.fullmatch(script.suffix):
        raise UsageError(
            f"A script needs a command and a plain suffix,"
            f" not {script.interpreter!r} and {script.suffix!r}."
        )
    return [*words, f"{folder}/script{script.suffix}"]


def _entry(environment: Environment, folder: str, *, bash: bool = True) -> list[bytes]:
    return [
        *([TO_BASH.encode()] if bash and activates(environment) else []),
        b"troop=" + quoted(folder),
        b"repo=" + quoted(environment.repo_dir),
        b'[ -d "$repo" ] || exit %d' % Code.NO_REPOSITORY,
    ]


def _activation(environment: Environment) -> list[bytes]:
    activate = b'. "$troop/activate.sh" >&2 || exit %d' % Code.NOT_ACTIVATED
    return [
        *([activate] if activates(environment) else []),
        b'cd "$repo" || exit %d' % Code.NO_REPOSITORY,
    ]


def _interpreter(name: str) -> list[bytes]:
    return [b"command -v %s >/dev/null || exit %d" % (quoted(name), Code.NO_INTERPRETER)]


def _print(mark: bytes) -> bytes:
    return b"printf '\\036%%s\\n' %s" % mark.strip(b"\x1e\n")


def _guard(guard_s: float | None) -> list[bytes]:
    if guard_s is None:
        return []
    # Started by a grandchild, so that it is not a child that the script could wait for.
    return [b"( (sleep %d && kill -9 -1) >/dev/null 2>&1 & )" % math.ceil(guard_s)]
