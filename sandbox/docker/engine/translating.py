"""Turning the SDK's errors into ours."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import docker.errors
import requests
import urllib3

from sandbox.docker.engine.failure import failure_of, to_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
T = TypeVar("T")

_GONE = 404
_CONFLICT = 409

FAILURES = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise what the SDK raises as a SandboxError."""
    try:
        yield
    except FAILURES as error:
        raise to_error(failure_of(error)) from error


def translates(function: Callable[P, T]) -> Callable[P, T]:
    """A function whose errors are translated."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with translated():
            return function(*args, **kwargs)

    return call


def tolerating(action: Callable[[], object]) -> bool:
    """Do `action`. False: its object is gone, or is just being changed."""
    with translated():
        try:
            action()
        except docker.errors.APIError as error:
            if error.status_code not in {_GONE, _CONFLICT}:
                raise
            return False
        return True
