"""What benchmark images hold of the future is found, and gone from what scripts see."""

from __future__ import annotations

import logging
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from data.errors import SandboxError
from data.instances.instance import Environment
from data.patches.patch import UNEDITED
from sandbox.docker.containers import Containers
from sandbox.docker.containers.ground import Ground
from sandbox.docker.containers.settings import Machine
from sandbox.docker.engine import Engine
from sandbox.docker.engine.labels import container_labels
from sandbox.docker.images.images import engine_ledger
from sandbox.docker.images.made import Maker, Verdicts
from sandbox.docker.leaks import Scrub, scrub
from sandbox.docker.oneshot import OneShot
from sandbox.owner import this_process
from sandbox.protocol import Limits, Script
from sandbox.supervise import Stop
from tests.sandbox import leaky
from tests.sandbox.leaky import KINDS, WAYS, secret
from tests.sandbox.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.docker.engine import Image

    Scrubs = Callable[..., Scrub]

pytestmark = pytest.mark.docker

OTHERS = ("mirror", "worktree", "borrowed", "gold", "root", "hidden")


@pytest.fixture(scope="module")
def engine(python_image: str) -> Iterator[Engine]:
    connection = Engine.connect(connections=8)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def leaky_image(
    engine: Engine,
    python_image: str,
    tmp_path_factory: pytest.TempPathFactory,
    prepared_images: set[str],
) -> str:
    """One image with a repository for each way, one for all ways, and one that hides nothing."""
    root = tmp_path_factory.mktemp("leaky") / "root"
    for name, way in WAYS.items():
        way(leaky.plain(root / "one" / name))
    for name, kind in KINDS.items():
        kind(leaky.plain(root / "kinds/inner" / name))
        leaky.dangling(root / "kinds/inner" / name)
    leaky.plain(root / "kinds/itself")
    _make_all(root)
    return _image(engine, python_image, root, prepared_images)


def _image(engine: Engine, base: str, root: Path, names: set[str]) -> str:
    name = f"troop/test-leaks:{secrets.token_hex(8)}"
    leaky.add_image(engine, base, root, name)
    names.add(name)
    return name


def _make_all(root: Path) -> None:
    repo = leaky.plain(root / "testbed", files={"sub/tracked.patch": "x\n"})
    for way in WAYS.values():
        way(repo)
    git(repo, "tag", "-d", "v9")  # unreachable is not gone
    module = leaky.plain(root / "module")
    leaky.branch(module)
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(module), "mod")
    git(repo, "commit", "-q", "-m", "With a submodule")
    (repo / ".git/modules/mod/FETCH_HEAD").write_text(secret("nested"))
    shutil.rmtree(module)
    shutil.copytree(repo / ".git", root / "srv/mirror")
    (root / "srv/mirror/ORIG_HEAD").write_text(secret("mirror"))
    borrowed = root / "srv/borrowed/objects"
    (borrowed / "pack").mkdir(parents=True)
    (borrowed / "pack/pack-1.pack").write_text(secret("borrowed"))
    (repo / ".git/objects/info").mkdir(exist_ok=True)
    (repo / ".git/objects/info/alternates").write_text("/srv/borrowed/objects\n")
    tree, link = root / "srv/tree", repo / ".git/worktrees/tree"
    for folder, name, text in (
        (tree, ".git", "gitdir: /testbed/.git/worktrees/tree\n"),
        (tree, "a.py", secret("worktree")),
        (link, "gitdir", "/srv/tree/.git\n"),
        (link, "commondir", "../..\n"),
        (link, "HEAD", "ref: refs/heads/future\n"),
    ):
        folder.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    known = {"home/fix.patch": "gold", "root/x.diff": "root", "testbed/r2e_tests/1.py": "hidden"}
    for path, kind in known.items():
        (root / path).parent.mkdir(exist_ok=True, parents=True)
        (root / path).write_text(secret(kind))
    (repo / "a.py").write_text("changed\n")
    (repo / "staged.py").write_text("staged\n")
    git(repo, "add", "staged.py")
    (repo / "staged.py").write_text("staged, then changed\n")
    (repo / "untracked.py").write_text("new\n")
    git(repo, "config", "user.name", "Somebody")


@pytest.fixture
def maker(
    engine: Engine, tmp_path: Path, prepared_images: set[str]
) -> Iterator[Callable[..., Scrub]]:
    """Makes scrubs; what they made is removed with the session."""
    containers, machine = Containers(engine), Machine.of(engine)
    images = Maker(engine, engine_ledger(engine, tmp_path), Verdicts(tmp_path / "verdicts"))
    made: list[Scrub] = []

    def make(image: str, repo_dir: str = "/testbed") -> Scrub:
        labels = container_labels(this_process(), "run", "its")
        environment = Environment(image=image, repo_dir=repo_dir)
        ground = Ground(engine, machine, containers, engine.image(image), environment, labels)
        one = Scrub(ground, images)
        made.append(one)
        return one

    yield make
    containers.remove_all()
    names = {one.recipe(Stop()).name for one in made}
    prepared_images.update(name for name in names if engine.has_image(name))


def run(one: Scrub, image: Image, code: str) -> str:
    """What the Python `code` prints in the sandbox of an image."""
    ground = replace(one.ground, image=image)
    limits = Limits(timeout_s=60, output_chars=1_000_000)
    done = OneShot(ground).execute(Stop(), Script(code), UNEDITED, limits)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("way", WAYS)
def test_each_way_alone_is_found(way: str, leaky_image: str, maker: Scrubs) -> None:
    one = maker(leaky_image, f"/one/{way}")
    findings = [line for line in one._look(one.ground.image, Stop()).findings() if "/one/" in line]
    assert findings
    assert all(f"/one/{way}/" in line for line in findings)


def test_all_is_there_before_and_nothing_after(leaky_image: str, maker: Scrubs) -> None:
    one = maker(leaky_image)
    before = set(run(one, one.ground.image, leaky.SEARCH).split())
    assert before == {*WAYS, *OTHERS}
    image = one.image(Stop())
    assert image.name.startswith("troop/scrubbed:")
    after = run(one, image, leaky.SEARCH.replace('"/troop"', '"/troop", "/one", "/kinds"'))
    assert after.split() == []
    assert one.image(Stop()) == image


def test_the_repository_is_as_it_was(leaky_image: str, maker: Scrubs) -> None:
    one = maker(leaky_image)
    image = one.image(Stop())
    lines = run(one, one.ground.image, leaky.STATE).splitlines()
    before = [line for line in lines if "r2e_tests" not in line]
    assert any("staged.py" in line for line in before)
    assert any("run_tests.sh" in line for line in before)
    assert run(one, image, leaky.STATE).splitlines() == before
    count, refs, settings = (
        line for line in run(one, image, leaky.IN_ORDER).splitlines() if "nothing" not in line
    )
    assert count == "1 128"
    assert refs == "['refs/heads/main']"
    assert "'user.name'" in settings
    assert "remote" not in settings
    assert "extraheader" not in settings
    inner = maker(leaky_image, "/testbed/vendor/inner")
    assert run(inner, image, leaky.IN_ORDER).startswith("1 128\nnothing\n")
    assert run(inner, image, leaky.STATE) == run(inner, inner.ground.image, leaky.STATE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_is_kept(kind: str, leaky_image: str, maker: Scrubs) -> None:
    image = maker(leaky_image, "/kinds").image(Stop())
    one = maker(leaky_image, f"/kinds/inner/{kind}")
    state = run(one, one.ground.image, leaky.STATE)
    assert "dubious" not in state
    assert run(one, image, leaky.STATE) == state
    assert "nothing" in run(one, image, leaky.IN_ORDER)
    search = leaky.SEARCH.replace('os.walk("/")', 'os.walk("/kinds")')
    assert run(one, one.ground.image, search).split() == ["dangling", "past"]
    assert run(one, image, search).split() == []


def test_the_image_starts_as_its_base_does(leaky_image: str, maker: Scrubs, engine: Engine) -> None:
    one = maker(leaky_image)
    was, now = engine.image_config(one.ground.image.id), engine.image_config(one.image(Stop()).id)
    for key in ("Entrypoint", "Cmd", "User", "WorkingDir", "Env"):
        assert now[key] == was[key], key
    assert now["Labels"].items() >= {"its": "own", "troop": "image", "troop.owner": ""}.items()
    assert now["Labels"]["troop.kind"] == "scrubbed"


def test_what_is_clean_is_not_copied_and_is_remembered(
    engine: Engine,
    python_image: str,
    maker: Scrubs,
    tmp_path: Path,
    prepared_images: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaky.plain(tmp_path / "root/testbed")
    one = maker(_image(engine, python_image, tmp_path / "root", prepared_images))
    assert one.image(Stop()) is one.ground.image
    monkeypatch.setattr(Scrub, "_look", None)
    assert one.image(Stop()) is one.ground.image


def test_without_a_repository_only_the_files_count(
    engine: Engine, python_image: str, maker: Scrubs, tmp_path: Path, prepared_images: set[str]
) -> None:
    for name in ("testbed/fix.patch", "home/fix.patch"):
        (tmp_path / "root" / name).parent.mkdir(parents=True)
        (tmp_path / "root" / name).write_text("x\n")
    one = maker(_image(engine, python_image, tmp_path / "root", prepared_images))
    image = one.image(Stop())
    code = "import os; print(os.listdir('/home'), os.listdir('/testbed'))"
    assert run(one, image, code) == "[] ['fix.patch']\n"
    assert maker(python_image, "/nowhere").image(Stop()).name == python_image


def test_a_linked_working_tree_becomes_a_repository(
    engine: Engine, python_image: str, maker: Scrubs, tmp_path: Path, prepared_images: set[str]
) -> None:
    root = tmp_path / "root"
    leaky.plain(root / "origin")
    leaky.branch(root / "origin")
    git(root, "clone", "-q", "--bare", "origin", "all.git")
    shutil.rmtree(root / "origin")
    git(root / "all.git", "worktree", "add", "-q", str(root / "testbed"), "main")
    for path in (root / "testbed/.git", root / "all.git/worktrees/testbed/gitdir"):
        path.write_text(path.read_text().replace(str(root), ""))
    one = maker(_image(engine, python_image, root, prepared_images))
    before = run(one, one.ground.image, leaky.STATE)
    image = one.image(Stop())
    assert run(one, image, leaky.STATE) == before
    assert run(one, image, leaky.SEARCH).split() == []
    assert run(one, image, "import os; print(os.path.exists('/all.git'))") == "False\n"


def test_where_there_is_no_git_its_folder_goes(
    engine: Engine,
    python_image: str,
    maker: Scrubs,
    tmp_path: Path,
    prepared_images: set[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    leaky.plain(tmp_path / "root/testbed")
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    (tmp_path / "root/usr/bin/git").mkdir()  # no program any more
    one = maker(_image(engine, python_image, tmp_path / "root", prepared_images))
    with caplog.at_level(logging.INFO):
        image = one.image(Stop())
    assert "/testbed/.git: there is no git" in caplog.text
    assert "removed /testbed/.git" in caplog.text
    files = run(one, image, "import os; print(sorted(os.listdir()))")
    assert files == "['a.py', 'run_tests.sh']\n"


def test_what_fails_the_audit_is_not_kept(
    leaky_image: str, maker: Scrubs, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {**scrub._programs(), "cut.sh": "exit 0\n"}
    monkeypatch.setattr(scrub, "_programs", lambda: programs)
    one = maker(leaky_image)
    made: list[str] = []
    commit = Engine.commit

    def note(self: Engine, container: str, name: str, changes: list[str]) -> str:
        made.append(commit(self, container, name, changes))
        return made[-1]

    monkeypatch.setattr(Engine, "commit", note)
    with pytest.raises(SandboxError, match=r"could not be hidden: leftovers /home/fix\.patch"):
        one.image(Stop())
    assert not engine.has_image(one.recipe(Stop()).name)
    assert not engine.has_image(made[0])


def test_two_at_once_agree(leaky_image: str, maker: Scrubs) -> None:
    one = maker(leaky_image, "/one/past")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: one.image(Stop()), range(2))
    assert first.name == second.name
    assert run(one, first, leaky.IN_ORDER).startswith("1 128\nnothing\n")
