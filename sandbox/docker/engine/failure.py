"""What an error of the Docker engine means: a person has to act, a retry may help, or no space.

`classify` is a pure function over what an error of the Docker SDK says. Its
table was captured from Docker 20.10 (tests/sandbox/test_docker_failure.py).
A script that fails never comes here, because its failure is an exit code.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Trouble(enum.Enum):
    """What to do about a failure of the engine."""

    UNAVAILABLE = "unavailable"
    """A person has to act: no engine, no image, no permission, a refused setting."""
    UNREACHABLE = "unreachable"
    """No engine answers; an engine that answered before may come back."""
    REFUSED = "refused"
    """The engine refuses a container's settings; it may accept others."""
    NO_SPACE = "no space"
    """A person has to act: the engine's disk is full."""
    TRANSIENT = "transient"
    """Another try in a new container may succeed."""
    RATE_LIMITED = "rate limited"
    """The registry limits pulls; another try after a while may succeed."""


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """What failed, and what to do about it."""

    trouble: Trouble
    message: str
    hint: str


class TransientEngineError(SandboxError):
    """The engine failed, but another try may succeed."""


class NoSpace(SandboxUnavailable):
    """The engine's disk is full."""


class RateLimited(SandboxError):
    """A registry allows no more pulls for now."""

    retry_after_s: float | None = None
    """The seconds that the registry asked to wait; None: it did not say."""


class EngineUnreachable(SandboxUnavailable):
    """No engine answers."""


class SettingsRefused(SandboxUnavailable):
    """The engine cannot make a container with these settings."""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    """Searched in the message, in upper or lower case."""
    trouble: Trouble
    message: str
    """What happened; `{0}` is the pattern's first group, `{says}` the engine's message."""
    hint: str
    statuses: frozenset[int | None] | None = None
    """The HTTP statuses that it applies to (None: no answer came); None: all."""


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
        "Add the user to the group docker (`sudo usermod -aG docker $USER`, then log in again).",
        _NO_ANSWER,
    ),
    _Rule(
        r"connection ?refused|no such file or directory|failed to resolve|no route to host"
        r"|network is unreachable",
        Trouble.UNREACHABLE,
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
        "The name of the image is not valid: {says}",
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
        Trouble.REFUSED,
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
        Trouble.REFUSED,
        "The engine refuses the request: {says}",
        "Look at the limits and the image's configuration.",
        frozenset({400}),
    ),
    _Rule(r"", Trouble.TRANSIENT, "The Docker engine failed: {says}", _LOOK_AT_LOG),
)


_ANOTHER_PLATFORM = (
    "If the engine can emulate the image's platform, pull it by hand with"
    " `docker pull --platform`; else use an engine of that architecture."
)

_UNREACHED = "The registry of {name} cannot be reached: {says}"
_LOOK_AT_NETWORK = "Look at the engine's network and proxy."

_PULL_RULES = (
    _RULES[0],
    _Rule(
        r"toomanyrequests|too many requests|rate limit|retry-after:|\b429\b",
        Trouble.RATE_LIMITED,
        "The registry of {name} limits pulls: {says}",
        "Wait, or log in (`docker login`): registries give more to those they know.",
    ),
    _Rule(
        r"no matching manifest for (\S+)|no match for platform|not match the specified platform",
        Trouble.UNAVAILABLE,
        "The image {name} is not made for this engine's architecture: {says}",
        _ANOTHER_PLATFORM,
    ),
    _Rule(
        r"manifest unknown|name unknown|not known to registry|manifest for .*not found"
        r"|^failed to resolve reference .*: not found",
        Trouble.UNAVAILABLE,
        "The registry has no image {name}: {says}",
        "Look at the image's name and tag. An image of your own has to be built or loaded first.",
    ),
    _Rule(
        r"denied|unauthorized|no basic auth credentials|authorization failed|incorrect username"
        r"|\b40[13]\b",
        Trouble.UNAVAILABLE,
        "The registry does not give out the image {name}: {says}",
        "Look at the image's name: registries also say this of images that do not exist. An"
        " image that is not public needs `docker login`; one of your own has to be built or loaded"
        " first.",
    ),
    _Rule(
        r"no such host|connection refused|name resolution|server misbehaving|no route to host"
        r"|network is unreachable",
        Trouble.UNAVAILABLE,  # which will not change in a moment
        _UNREACHED,
        _LOOK_AT_NETWORK,
    ),
    _Rule(
        r"handshake timeout|dial tcp|i/o timeout|connection reset|\bEOF\b"
        r"|timed? ?out|deadline exceeded|unexpected http status|unexpected status|\b5\d\d\b",
        Trouble.TRANSIENT,
        _UNREACHED,
        _LOOK_AT_NETWORK,
    ),
    _Rule(
        r"x509:|tls:|http response to https client|certificate",
        Trouble.UNAVAILABLE,
        "The engine does not trust the registry of {name}: {says}",
        "Give the engine its certificate (/etc/docker/certs.d), or list it under"
        " `insecure-registries` in the engine's daemon.json.",
    ),
    *_RULES[1:],
)


def classify(kind: str, status: int | None, message: str) -> EngineFailure:
    """What an error means.

    `kind`: the exception's type; `status`: the HTTP status of the engine's
    answer, None where no answer came; `message`: the engine's, or else the
    exception's own.
    """
    return _first_fit(_RULES, status, message, message, says=_says(message, kind))


def classify_pull(name: str, status: int | None, message: str) -> EngineFailure:
    """What an error of pulling the image `name` means; arguments as `classify` has them."""
    if status is None:  # the error is from the engine, not from a registry
        return classify("", status, message)
    # Names may contain any words, such as "denied" or "429".
    repository = name.partition("@")[0]
    searched = message
    for part in (repository, repository.rpartition(":")[0], repository.partition("/")[2]):
        for each in (part, part.rpartition(":")[0]):
            searched = searched.replace(each, "it") if len(each) > 2 else searched  # noqa: PLR2004
    return _first_fit(_PULL_RULES, status, message, searched, says=_says(message, ""), name=name)


def _says(message: str, otherwise: str) -> str:
    return " ".join(message.split()) or otherwise


def _first_fit(
    rules: Sequence[_Rule], status: int | None, message: str, searched: str, **words: str
) -> EngineFailure:
    for rule in rules:
        if rule.statuses is not None and status not in rule.statuses:
            continue
        found = re.search(rule.pattern, searched, re.IGNORECASE)
        if found:
            groups = found.groups()
            return EngineFailure(
                rule.trouble, rule.message.format(*groups, **words), rule.hint.format(*groups)
            )
    raise AssertionError(f"the last rule fits everything, also {message}")


def failure_of(error: BaseException, *, pulling: str = "") -> EngineFailure:
    """What an error of the Docker SDK, or of the transport below it, means.

    `pulling`: the image that was being pulled.
    """
    status = getattr(error, "status_code", None)
    status = status if isinstance(status, int) else None
    message = getattr(error, "explanation", None) or str(error)
    if pulling:
        return classify_pull(pulling, status, message)
    return classify(type(error).__name__, status, message)


_KINDS: Mapping[Trouble, type[SandboxError]] = {
    Trouble.UNAVAILABLE: SandboxUnavailable,
    Trouble.UNREACHABLE: EngineUnreachable,
    Trouble.REFUSED: SettingsRefused,
    Trouble.NO_SPACE: NoSpace,
    Trouble.TRANSIENT: TransientEngineError,
    Trouble.RATE_LIMITED: RateLimited,
}


def to_error(failure: EngineFailure) -> SandboxError:
    """The exception to raise for `failure`."""
    error = _KINDS[failure.trouble](failure.message, hint=failure.hint)
    if isinstance(error, RateLimited):
        error.retry_after_s = retry_after(failure.message)
    return error


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def retry_after(message: str) -> float | None:
    """The seconds that a registry asks to wait ("retry-after: 1m30s"), where it says so."""
    found = re.search(
        r"retry-after: *((?:[\d.]+ *(?:ns|us|µs|ms|s|m|h)?)+)", message, re.IGNORECASE
    )
    if not found:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?) *(ns|us|µs|ms|s|m|h)?", found[1], re.IGNORECASE)
    return sum(float(number) * _UNITS[unit.lower()] for number, unit in parts)
