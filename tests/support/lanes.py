"""Which lane a test is in, and that it stays there.

A test is **slow** if it starts a program other than git, and **docker** if it talks to an engine.
What is neither is quick (`make quick`). Both are marks, and this holds them true: an unmarked test
that starts a program or opens the engine's socket fails, however fast the machine is. Tests whose
own work takes seconds are marked slow too.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FREE = {"git"}
"""Programs that a quick test may start: repositories are made and read with it."""

_seen: dict[str, set[str]] = {}
"""What the test that runs now has done, by the mark that it needs for it."""


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event == "subprocess.Popen" and _name(args) not in FREE:
        _seen.setdefault("slow", set()).add(_name(args))
    elif event == "socket.connect" and str(args[1]).endswith("docker.sock"):
        _seen.setdefault("docker", set()).add(str(args[1]))


def _name(args: tuple[object, ...]) -> str:
    """The program that `subprocess.Popen` starts."""
    words = args[1]
    first = words[0] if isinstance(words, list | tuple) and words else words
    return os.path.basename(os.fsdecode(first))  # type: ignore[arg-type] # noqa: PTH119


sys.addaudithook(_watch)


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
