"""A Docker engine for tests that need one, and an image made of this machine's Python."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError
from sandbox.docker.engine import Engine
from sandbox.docker.hostimage import host_python_image

if TYPE_CHECKING:
    from collections.abc import Iterator


@functools.cache
def why_no_docker() -> str:
    """Why the tests cannot use Docker; "" where they can."""
    try:
        Engine.connect(timeout_s=10).close()
        host_python_image()
    except SandboxError as error:
        return error.message
    return ""


def require_docker() -> None:
    """Skip the test where no engine answers; fail it where TROOP_REQUIRE_DOCKER is set."""
    reason = why_no_docker()
    if reason and os.environ.get("TROOP_REQUIRE_DOCKER"):
        pytest.fail(f"TROOP_REQUIRE_DOCKER is set, but: {reason}")
    if reason:
        pytest.skip(reason)


@pytest.fixture
def docker_engine() -> Iterator[Engine]:
    """A connection to the engine."""
    require_docker()
    engine = Engine.connect(connections=4)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def python_image() -> str:
    """An image with Python, a shell, tar and git."""
    require_docker()
    return host_python_image()
