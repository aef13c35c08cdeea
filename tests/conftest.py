"""What holds for all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.lanes import (
    pytest_collection_modifyitems,
    pytest_runtest_call,
    pytest_runtest_protocol,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_call", "pytest_runtest_protocol"]

_ONE_WORKER = ("test_attacks.py", "test_readme.py")
"""Files whose tests share what is done once."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Give each worker the next test, and the files above to one worker.

    The marks for that are lost with pytest 9 and xdist 3.8.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((file for file in _ONE_WORKER if file in nodeid), nodeid)

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's state, such as which images Troop pulled, is not the tests' to write."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before
