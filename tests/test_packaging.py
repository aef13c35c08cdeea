"""The wheel holds every package and file, and works from anywhere, whatever lies there."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support import scripted_model
from tests.support.command import calc_repository
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory) -> Path:
    """The Python of an environment that has the wheel and its dependencies, not the checkout."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(dependencies))  # without their .pth files
    return folder / "bin" / "python"


def python(bare: Path, folder: Path, *words: str) -> str:
    """What a program prints that runs in `folder`, with the folders of the user in it."""
    done = subprocess.run(
        [bare, *words],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_all_that_git_tracks_in_the_rooms(wheel):
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--", *ROOMS], cwd=ROOT, capture_output=True, check=True
    )
    wanted = {f"troop/_packages/{name}" for name in tracked.stdout.decode().split("\0") if name}
    wanted |= {"troop/__init__.py", "troop/__main__.py", "troop/py.typed"}
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert wanted <= held
    strangers = {name.split("/")[0] for name in held}
    assert len(strangers) == 2, strangers  # troop and its dist-info: no generic names at the top


def test_nothing_but_imports_differs_from_the_checkout(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("troop/_packages/"):
                own = (ROOT / name.removeprefix("troop/_packages/")).read_bytes()
                packed = archive.read(name)
                assert packed.replace(b"from troop._packages.", b"from ") == own, name


def test_the_wheel_runs_in_a_folder_with_packages_of_the_same_names(bare, tmp_path):
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise SystemExit('the wrong package')\n")
    for words, told in ((["--help"], "troop demo"), (["config"], "[samples]")):
        assert told in python(bare, tmp_path, "-m", "troop", *words)


def test_the_library_leaves_the_names_of_its_packages_to_others(bare, tmp_path):
    (tmp_path / "data.py").write_text("theirs = True\n")
    code = "import data, troop; troop.solve; import sys; print(data.theirs, 'agent' in sys.modules)"
    assert python(bare, tmp_path, "-c", code) == "True False\n"


def test_the_demo_runs_from_the_wheel(bare, tmp_path):
    words = ("demo", "--sandbox", "local", "--no-wait", "--patch-only")
    printed = python(bare, tmp_path, "-m", "troop", *words)
    assert printed.startswith("diff --git a/cadence/walk.py")


WORKER = """
import pickle, sys
work, given, named = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps(work(*given, **named)))
"""

DRIVER = """
import pickle, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import troop

def elsewhere(work, *given, **named):  # say on another machine: a worker that imports nothing
    done = subprocess.run(
        [sys.executable, "-c", sys.argv[1]], input=pickle.dumps((work, given, named)),
        stdout=subprocess.PIPE, check=True,
    )
    return pickle.loads(done.stdout)

def kept(record):
    return record

def matrix(repair):
    return repair.story.matrix

if __name__ == "__main__":
    issue, repository, server = sys.argv[2:]
    repair = elsewhere(
        troop.solve, issue, repository, model="mock", base_url=server, samples=4,
        sandbox="local", database="troop.db", settings={"samples.editing_turns": 3},
    )
    assert isinstance(repair, troop.Repair)
    story = repair.story
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(matrix, repair).result() == story.matrix
        for part in (story.run, story.instance, story.candidates, story.votes):
            assert pool.submit(kept, part).result() == part
    assert elsewhere(dict, matrix=story.matrix, whole=story.whole) == dict(
        matrix=story.matrix, whole=story.whole
    )
    error = troop.UsageError("no", hint="yes")
    assert elsewhere(list, [error])[0].hint == "yes"
    print(repair.patch)
"""


def test_records_go_between_processes_that_have_the_distribution_alone(bare, tmp_path):
    repository = calc_repository(tmp_path)
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    with ModelServer(scripted_model.answer) as server:
        words = (WORKER, scripted_model.ISSUE, str(repository), server.base_url)
        printed = python(bare, tmp_path, str(driver), *words)
    assert printed.startswith("diff --git a/calc/ops.py")


CONSUMER = """
import troop

repair = troop.solve("It is broken.", ".", model="m", display=troop.Quiet())
reveal_type(repair.story.matrix.candidates[0].patch.diff)
reveal_type(repair.story.votes[0].verdict)
reveal_type(troop.__version__)
troop.solve(3)
troop.nonsense
"""


def test_programs_that_use_it_are_checked_for_types(bare, tmp_path):
    (tmp_path / "consumer.py").write_text(CONSUMER)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--python-executable", bare, "consumer.py"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line.split(": ", 1)[1].split("  [")[0] for line in done.stdout.splitlines()]
    assert told == [
        'note: Revealed type is "str"',
        'note: Revealed type is "troop._packages.selection.matrix.Verdict"',
        'note: Revealed type is "str"',
        'error: Argument 1 has incompatible type "int"; expected "str | Path | Instance"',
        'error: Module has no attribute "nonsense"',
    ], done.stdout + done.stderr
