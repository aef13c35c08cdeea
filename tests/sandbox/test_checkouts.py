"""What a working copy adds to its commit reaches scripts, also when it comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.codebases.reader import CodebaseCache
from data.instances.instance import Environment, Instance
from data.patches.patch import UNEDITED
from sandbox.docker.images.made import Verdicts
from sandbox.local import LocalProvider
from sandbox.protocol import Limits, Script
from tests.data.codebases.test_checkout import filtered
from tests.data.codebases.test_commits import committed, git
from tests.sandbox.conftest import RecordingProvider
from tests.support.docker import require_docker

if TYPE_CHECKING:
    from pathlib import Path

    from data.codebases.codebase import Codebase
    from sandbox.protocol import SandboxProvider

pytestmark = pytest.mark.slow

_LOOK = """\
import glob
print(open("a.dat").read().strip(), *glob.glob("lib/*.py"))
"""


async def look(provider: SandboxProvider, instance: Instance) -> tuple[str, Codebase]:
    """What a script sees, and the codebase."""
    async with provider:
        sandbox = await provider.open(instance, run="test-checkouts")
        codebase = await sandbox.read_codebase()
        ran = await sandbox.execute(Script(_LOOK), UNEDITED, Limits(timeout_s=60, memory_mb=512))
        await sandbox.close()
    return ran.output.strip(), codebase


@pytest.mark.parametrize("kind", [pytest.param("docker", marks=pytest.mark.docker), "local"])
async def test_a_submodule_that_comes_later_and_a_filtered_file(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, prepared_images: set[str]
) -> None:
    library = committed(tmp_path / "library", {b"lib.py": b"lib\n"})
    origin = filtered(tmp_path / "origin", {b"a.dat": b"SIGN\n"})
    git(origin, "submodule", "--quiet", "add", str(library), "lib")
    git(origin, "commit", "-qm", "submodule")
    (tmp_path / "clone").mkdir()
    clone = filtered(tmp_path / "clone/repo", {})
    git(clone, "fetch", "-q", str(origin), "HEAD")
    git(clone, "reset", "-q", "--hard", "FETCH_HEAD")
    image = None
    cache = CodebaseCache(tmp_path / "codebases")
    provider: SandboxProvider = LocalProvider(folder=tmp_path / "local", cache=cache)
    if kind == "docker":
        require_docker()
        image = request.getfixturevalue("python_image")
        verdicts = Verdicts(tmp_path / "clean")
        provider = RecordingProvider(cache, verdicts, prepared_images, warm=False)
    environment = Environment(image=image, repo_dir="/testbed", source=clone)
    instance = Instance("own__repo-2", "own/repo", "HEAD", "It is wrong.", environment)

    seen, codebase = await look(provider, instance)
    assert seen == "SIGN"
    assert "a.dat" in codebase.skipped
    git(clone, "submodule", "--quiet", "update", "--init")
    seen, codebase = await look(provider, instance)
    assert seen == "SIGN lib/lib.py"
    assert "lib/lib.py" in codebase.files
