"""The programs that others read trajectories with, where they are installed; no part of CI.

pip install mini-swe-agent harbor      # Harbor needs Python 3.12
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runs.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

RUNS = ["priced", "unpriced", "replayed", "cancelled", "unsolved"]


@pytest.mark.filterwarnings("ignore")
def test_harbors_validator_takes_every_document(exported, tmp_path):
    module = _imported("harbor.utils.trajectory_validator")
    for run in RUNS:
        validator = module.TrajectoryValidator()
        (document,) = (_written(exported, run, tmp_path) / "atif").glob("*.json")
        assert validator.validate(document), validator.get_errors()


@pytest.mark.filterwarnings("ignore")
async def test_minis_inspector_pages_through_every_file(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("MSWEA_SILENT_STARTUP", "1")
    module = _imported("minisweagent.run.utilities.inspector")
    found = [
        file
        for run in RUNS
        for file in sorted((_written(exported, run, tmp_path) / "mini").rglob("*.traj.json"))
    ]
    app = module.TrajectoryInspector(found)
    async with app.run_test(size=(120, 50)) as pilot:
        for file in found:
            assert app.current_trajectory_name == file.name
            assert app.messages
            for _ in range(app.n_steps - 1):
                await pilot.press("l")
            assert app.i_step == app.n_steps - 1
            await pilot.press("L")


def _written(exported, run: str, folder: Path) -> Path:
    words = ["export", run, "--db", exported.world.url, "-o", str(folder / run)]
    main([*words, "--format", "mini,atif"])
    return folder / run


def _imported(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name.partition('.')[0]} is not installed")
