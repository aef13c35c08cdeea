"""Telling apart what failed: the engine for good, the engine for now, the disk.

`classify` is a pure function over what an error of the Docker SDK says; its
table was captured from Docker 20.10 (tests/sandbox/test_docker_failure.py).
What a script does wrong never comes here: a script's failure is an exit code.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from data.errors import SandboxError, SandboxUnavailable


class Trouble(enum.Enum):
    """What to do about a failure of the engine."""

    UNAVAILABLE = "unavailable"
    """A person has to act: no engine, no image, no permission, a refused setting."""
    NO_SPACE = "no space"
    """A person has to act: the engine's disk is full."""
    TRANSIENT = "transient"
    """Worth another try on a new container."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed, and the mend."""

    trouble: Trouble
    message: str
    mend: str


class TransientEngineError(SandboxError):
    """The engine failed in a way that another try may not meet."""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    """Searched in the message, whatever its case."""
    trouble: Trouble
    message: str
    """What happened; `{0}` is the pattern's first group, `{says}` the engine's message."""
    mend: str
    statuses: frozenset[int | None] | None = None
    """HTTP statuses it is about (None: no answer came); None: all."""


_NO_ANSWER = frozenset({None})
_START_ENGINE = (
    "Start the engine (`systemctl start docker`, or Docker Desktop), set DOCKER_HOST to one that"
    " runs, or use the local sandbox."
)
_LOOK_AT_LOG = "Look at the engine's log (`journalctl -u docker`)."

_RULES = (
    _Rule(
        r"no space left on device|disk quota exceeded",
        Trouble.NO_SPACE,
        "Docker's disk is full: {says}",
        "Make room: `docker system df` shows what takes it, `docker image prune` removes"
        " images without a name.",
    ),
    _Rule(
        r"permission ?(?:denied|error)",
        Trouble.UNAVAILABLE,
        "This user may not talk to the Docker engine: {says}",
        "Add the user to the group (`sudo usermod -aG docker $USER`, then log in again).",
        _NO_ANSWER,
    ),
    _Rule(
        r"connection ?refused|no such file or directory|failed to resolve|no route to host"
        r"|network is unreachable",
        Trouble.UNAVAILABLE,
        "No Docker engine answers: {says}",
        _START_ENGINE,
        _NO_ANSWER,
    ),
    _Rule(
        r"tls|client_cert|certificate|invalid bind address|install (?:paramiko|pypiwin32)"
        r"|api versions below",
        Trouble.UNAVAILABLE,
        "The Docker client cannot be used as configured: {says}",
        "Look at DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and `docker context ls`.",
        _NO_ANSWER,
    ),
    _Rule(
        r"no such image: ([^\s:]+(?::[^\s:]+)*)",
        Trouble.UNAVAILABLE,
        "The engine has no image {0}.",
        "`docker pull {0}`, or build it.",
        frozenset({404}),
    ),
    _Rule(
        r"invalid reference format",
        Trouble.UNAVAILABLE,
        "The image's name is not one: {says}",
        "Correct the image's name.",
        frozenset({400}),
    ),
    _Rule(
        r'exec: "?([^":]+)"?:? .*(?:no such file|executable file not found|permission denied)',
        Trouble.UNAVAILABLE,
        "The image has no program {0}: {says}",
        "The sandbox needs /bin/sh in the image.",
    ),
    _Rule(
        r"unable to apply caps|error setting rlimit|--storage-opt is supported only"
        r"|unknown runtime|decoding seccomp|unable to find user|is not a directory"
        r"|working directory .* is invalid|unknown capability",
        Trouble.UNAVAILABLE,
        "The engine refuses the container's settings: {says}",
        _LOOK_AT_LOG,
    ),
    _Rule(
        r"",
        Trouble.UNAVAILABLE,
        "The engine does not let this client in: {says}",
        "Look at the engine's authorization plugin or proxy.",
        frozenset({401, 403}),
    ),
    _Rule(
        r"",
        Trouble.UNAVAILABLE,
        "The engine refuses the request: {says}",
        "Look at the limits and the image's configuration.",
        frozenset({400}),
    ),
    _Rule(r"", Trouble.TRANSIENT, "The Docker engine failed: {says}", _LOOK_AT_LOG),
)


def classify(kind: str, status: int | None, message: str) -> Failure:
    """What an error means.

    `kind`: the exception's type; `status`: the HTTP status of the engine's
    answer, None where no answer came; `message`: the engine's, or else the
    exception's own.
    """
    says = " ".join(message.split()) or kind
    for rule in _RULES:
        if rule.statuses is not None and status not in rule.statuses:
            continue
        found = re.search(rule.pattern, message, re.IGNORECASE)
        if found:
            groups = found.groups()
            return Failure(
                rule.trouble, rule.message.format(*groups, says=says), rule.mend.format(*groups)
            )
    raise AssertionError("the last rule fits everything")


def failure_of(error: BaseException) -> Failure:
    """What an error of the Docker SDK, or of the transport below it, means."""
    status = getattr(error, "status_code", None)
    message = getattr(error, "explanation", None) or str(error)
    return classify(type(error).__name__, status if isinstance(status, int) else None, message)


def to_error(failure: Failure) -> SandboxError:
    """The exception to raise for `failure`."""
    kind = TransientEngineError if failure.trouble is Trouble.TRANSIENT else SandboxUnavailable
    return kind(failure.message, mend=failure.mend)
