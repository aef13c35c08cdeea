"""From a reply through `diff_files` to a diff that real git applies."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings

from agent.edits import apply_edits, parse_edits
from data.patches.applying import diff_files
from data.paths import encode_path
from tests.agent.edits.replies import codebase, edit
from tests.agent.edits.worlds import World, changed, worlds

ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def git(folder: Path, *arguments: str, given: bytes = b"") -> None:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=given, env=ENV, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def lay(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        place = folder / os.fsdecode(encode_path(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_git_makes_the_same_files(world: World) -> None:
    changes = changed(world)
    assume(changes)
    patch = diff_files(changes, world.codebase)
    before = {path: file.encode() for path, file in world.codebase.files.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        git(folder, "init", "-q")
        lay(folder, before)
        git(folder, "apply", "--whitespace=nowarn", given=patch.diff.encode())
        after = {path: changes.get(path, content) for path, content in before.items()} | changes
        assert files_below(folder) == {
            path: text for path, text in after.items() if text is not None
        }


def test_one_edit(tmp_path: Path) -> None:
    code = codebase({"src/a.py": "a\r\nb\r\nc"})
    changes = apply_edits(parse_edits(edit("src/a.py", ("b\n", "x\ny\n"))), code).changes
    git(tmp_path, "init", "-q")
    lay(tmp_path, {"src/a.py": b"a\r\nb\r\nc"})
    git(tmp_path, "apply", given=diff_files(changes, code).diff.encode())
    assert files_below(tmp_path) == {"src/a.py": b"a\r\nx\r\ny\r\nc"}
