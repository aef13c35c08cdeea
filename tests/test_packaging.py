"""The wheel holds every package and file, and runs from anywhere, whatever lies there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("agent", "data", "runs", "sandbox", "selection")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_all_that_git_tracks_in_the_rooms(wheel):
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--", *ROOMS], cwd=ROOT, capture_output=True, check=True
    )
    names = set(tracked.stdout.decode().split("\0")) - {"", "runs/__main__.py"}
    wanted = {f"troop/_packages/{name}" for name in names}  # the launcher lies beside them
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert wanted <= held
    assert "troop/__main__.py" in held
    strangers = {name.split("/")[0] for name in held}
    assert len(strangers) == 2, strangers  # troop and its dist-info: no generic names at the top


def test_the_wheel_runs_in_a_folder_with_packages_of_the_same_names(wheel, tmp_path):
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    hostile = tmp_path / "hostile"
    for room in ROOMS:
        (hostile / room).mkdir(parents=True)
        (hostile / room / "__init__.py").write_text("raise SystemExit('the wrong package')\n")
    launch = "import sys; sys.argv[0] = 'troop'; from troop.__main__ import main; main()"
    for words, told in ((["--help"], "troop demo"), (["config"], "[samples]")):
        done = subprocess.run(
            [sys.executable, "-P", "-c", launch, *words],
            cwd=hostile,
            env={"PYTHONPATH": str(installed), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert told in done.stdout


def test_the_demo_runs_from_the_wheel(wheel, tmp_path):
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "troop"),
            *("demo", "--sandbox", "local", "--no-wait", "--patch-only"),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("diff --git a/cadence/walk.py")
