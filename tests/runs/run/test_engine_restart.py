"""The Docker engine is killed in the middle of a run, and started again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runs.run.test_kill import outcome
from tests.support.command import Command
from tests.support.own_engine import OwnEngine, require_own_engine
from tests.support.views import view

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

RUN = "demo-recorded-1"
DEMO = ("demo", "--sandbox", "docker")


@pytest.fixture
def own_engine() -> Iterator[OwnEngine]:
    require_own_engine()
    engine = OwnEngine(Path(tempfile.mkdtemp(prefix="troop-engine-")))  # a socket's path is short
    engine.start()
    yield engine
    engine.stop()


def test_a_run_outlives_its_engine(tmp_path: Path, own_engine: OwnEngine) -> None:
    """It comes to the same result as one that nothing disturbed."""
    undisturbed, troop = _command(tmp_path / "a", own_engine), _command(tmp_path / "b", own_engine)
    undisturbed.finish(*DEMO)
    process = troop.start(*DEMO)
    executed = 0
    while executed < 5 and process.poll() is None:
        time.sleep(0.02)
        executed = _executed(troop)
    assert process.poll() is None, process.communicate()
    try:
        own_engine.kill()
        time.sleep(1)
        own_engine.start()
    finally:
        output, errors = process.communicate(timeout=150)
    assert process.returncode == 0, output + errors
    assert _executed(troop) > executed
    assert outcome(troop, RUN) == outcome(undisturbed, RUN)


def _command(folder: Path, engine: OwnEngine) -> Command:
    folder.mkdir()
    command = Command(folder)
    command.extra["DOCKER_HOST"] = engine.url
    return command


def _executed(troop: Command) -> int:
    try:
        with troop.reader() as reader:
            return len(view(reader, "executions", run=RUN))
    except Exception:  # noqa: BLE001 - the run is not there yet
        return 0
