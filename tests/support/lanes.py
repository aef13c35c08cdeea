"""Which lane a test is in, and that it stays there.

A test is **slow** if it starts a Python or another program that takes its time, **docker** if it
talks to an engine, and **postgres** if it needs that server. What is none of these is quick (`make
quick`). All are marks. Many are set here, by the fixtures that a test uses; all are held true here:
an unmarked test that starts a program or opens the engine's socket fails, however fast the machine
is. Tests whose own work takes seconds are marked slow too.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FREE = {"git", "tar", "sh", "bash", "uname"}
"""Programs that a quick test may start: they end at once."""

FIXTURES = {
    "docker": {"docker_engine", "python_image", "graded_image", "shelf", "own_engine"},
    "postgres": {"postgres"},
    "slow": {"troop", "world", "local_world", "bare_world", "docker_world", "exported"},
}
"""What a test need not be marked for: a test that uses one of these is marked."""

_seen: dict[str, set[str]] = {}
"""What the test that runs now has done, by the mark that it needs for it."""


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event == "subprocess.Popen" and _name(args) not in FREE:
        mark = "postgres" if _name(args) == "initdb" else "slow"
        _seen.setdefault(mark, set()).add(_name(args))
    elif event == "socket.connect" and str(args[1]).endswith("docker.sock"):
        _seen.setdefault("docker", set()).add(str(args[1]))


def _name(args: tuple[object, ...]) -> str:
    """The program that `subprocess.Popen` starts."""
    words = args[1]
    first = words[0] if isinstance(words, list | tuple) and words else words
    return os.path.basename(os.fsdecode(first))  # type: ignore[arg-type] # noqa: PTH119


sys.addaudithook(_watch)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by fixtures, and by the database that a test runs on."""
    for item in items:
        call = getattr(item, "callspec", None)
        used = {*getattr(item, "fixturenames", ())}
        if call and "postgresql" in call.params.values():
            used.add("postgres")
        for mark, fixtures in FIXTURES.items():
            if used & fixtures:
                item.add_marker(mark)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Forget what the test before has done."""
    _seen.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that did, or whose fixtures did, what its marks do not say."""
    result = yield
    marked = {mark.name for mark in item.iter_markers()}
    missing = {mark: sorted(what) for mark, what in _seen.items() if mark not in marked}
    if "docker" in marked:
        missing.pop("slow", None)
    if missing:
        pytest.fail(f'It lacks a mark (see CONTRIBUTING, "Tests"): {missing}', pytrace=False)
    return result
