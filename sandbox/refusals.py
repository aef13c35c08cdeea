"""What it means when a launcher does not start the script, in words for people."""

from __future__ import annotations

import enum
import shlex
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable, UsageError
from sandbox.protocol import Ending

if TYPE_CHECKING:
    from data.instances.instance import Environment
    from sandbox.protocol import Script
    from sandbox.supervise import ProcessResult

_SAID_CHARS = 2000


class Code(enum.IntEnum):
    """The exit codes of a launcher that does not start the script."""

    NOT_BUILT = 210
    REFUSED = 211
    NO_REPOSITORY = 212
    NOT_ACTIVATED = 213
    NO_INTERPRETER = 214
    NOT_LAID = 216
    NOT_COMMITTED = 217


def activates(environment: Environment) -> bool:
    """Whether there are activation lines."""
    return bool(environment.activate.strip())


def why_not_started(
    result: ProcessResult,
    environment: Environment,
    script: Script,
    where: str,
    *,
    programs: str = "",
) -> SandboxError | UsageError | None:
    """The error that says why the launcher did not start the script; None: it is not known.

    `where`: what holds the repository, for people: "the image x"; `programs`: what holds the
    programs, if that is something else.
    """
    if result.ending is not Ending.EXITED:
        return _said(
            SandboxError,
            f"The environment in {where} was not ready before a limit"
            f" ({result.ending}, {result.duration_s:.0f} s)",
            result,
            "Look at the activation lines, or at how busy the machine is.",
        )
    code = result.exit_code
    if code not in {*Code, 126, 127, 137} and activates(environment):
        code = Code.NOT_ACTIVATED  # lines that end the shell themselves
    error: type[SandboxError | UsageError]
    match code:
        case Code.REFUSED:
            error, what, hint = UsageError, f"The patch cannot be laid over {where}", ""
        case Code.NOT_LAID:
            error, what, hint = SandboxError, f"A file could not be written in {where}", ""
        case Code.NO_REPOSITORY:
            error, what = (
                SandboxUnavailable,
                f"There is no folder {environment.repo_dir} in {where}",
            )
            hint = "Give the folder that holds the repository as `repo_dir`."
        case Code.NO_INTERPRETER:
            name = shlex.split(script.interpreter)[0]
            error, what = (
                SandboxUnavailable,
                f"There is no {name!r} to run scripts with in {programs or where}",
            )
            hint = "Give an image that has it, or activation lines that put it on the PATH."
        case Code.NOT_ACTIVATED:
            error, what = SandboxError, f"The environment in {where} could not be activated"
            hint = "Try the activation lines by hand."
        case _:
            return None
    return _said(error, what, result, hint)


def _said(
    error: type[SandboxError | UsageError], what: str, result: ProcessResult, hint: str
) -> SandboxError | UsageError:
    said = result.preamble.strip()[-_SAID_CHARS:]
    return error(f"{what}: {said}" if said else f"{what}.", hint=hint)
