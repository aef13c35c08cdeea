"""Git folders that strangers made by hand: odd links, pipes, settings, and programs named git."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data.codebases.checkout import read_checkout
from data.errors import UsageError
from data.instances.repository import own_repository, untracked_files
from tests.data.codebases.strangers import ALLOWED, SECRET, git, look_at, made, was_run

if TYPE_CHECKING:
    from collections.abc import Callable

HOUSE = Path(__file__).parents[3]


def test_one_file_starts_git() -> None:
    """Everything else asks it, so nothing can forget what it leaves out."""
    starts, imports = set(), set()
    for package in ("agent", "data", "runs", "sandbox", "selection"):
        for file in (HOUSE / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_bytes())):
                match node:
                    case ast.List(elts=[ast.Constant(value="git"), *_]):
                        starts.add(file.relative_to(HOUSE).as_posix())
                    case ast.ImportFrom(module=str(name)) if name.split(".")[0] == "git":
                        imports.add(file.relative_to(HOUSE).as_posix())
                    case ast.Import(names=names) if any(n.name == "git" for n in names):
                        imports.add(file.relative_to(HOUSE).as_posix())
    assert starts == {"data/git_process.py"}
    assert imports == {"data/git_configuration.py"}


def test_a_program_named_git_in_the_repository(
    repo: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(program, repo / "git")
    git(repo, "add", "git")
    git(repo, "commit", "-q", "-m", "git")
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(repo)
    look_at(Path())
    assert not was_run(program)


SETTINGS = {
    "where hooks are": ("core.hooksPath", "{folder}"),
    "hooks by name": ("hook.x.command", "{program}"),
    "templates": ("init.templateDir", "{folder}"),
    "a program as a transport": ("remote.origin.vcs", "ext::{program}"),
    "another address": ("url.ext::{program}.insteadOf", "https://"),
    "a bundle": ("fetch.bundleURI", "file://{program}"),
    "tracing": ("trace2.eventTarget", "{folder}/trace"),
    "maintenance": ("maintenance.auto", "true"),
    "a sequence editor": ("sequence.editor", "{program}"),
    "a monitor of git's own": ("core.fsmonitor", "true"),
    "how submodules are updated": ("submodule.x.update", "!{program}"),
    "trailers": ("trailer.x.command", "{program}"),
    "a browser": ("browser.x.cmd", "{program}"),
}


@pytest.mark.parametrize(("name", "value"), SETTINGS.values(), ids=SETTINGS.keys())
def test_settings_that_start_or_write_something(
    repo: Path, program: Path, tmp_path: Path, name: str, value: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc"):
        shutil.copy(program, folder / hook)
    words = {"program": program, "folder": folder}
    git(repo, "config", name.format(**words), value.format(**words))
    (tmp_path / "mark").unlink(missing_ok=True)
    assert look_at(repo)["a.py"] == b"x = 1\n"
    assert not was_run(program)
    assert len(list(folder.iterdir())) == 3
    assert not (repo / ".git/fsmonitor--daemon.ipc").exists()


def test_a_missing_object_of_a_repository_with_a_program_as_its_origin(
    repo: Path, program: Path
) -> None:
    blob = git(repo, "rev-parse", "HEAD:a.py")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for name, value in {
        "extensions.partialclone": "origin",
        "remote.origin.url": f"ext::sh -c {program}",
        "remote.origin.promisor": "true",
        "protocol.allow": "always",
    }.items():
        git(repo, "config", name, value)
    with pytest.raises(UsageError, match=r"lacks the content of a\.py"):
        look_at(repo)
    assert not was_run(program)


def test_settings_cannot_hide_files_or_add_attributes(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "all").write_text("*\n")
    (tmp_path / "attributes").write_text("* filter=lfs\n")
    git(repo, "config", "core.excludesFile", str(tmp_path / "all"))
    git(repo, "config", "core.attributesFile", str(tmp_path / "attributes"))
    git(repo, "config", "status.showUntrackedFiles", "no")
    (repo / "new.txt").write_text("new\n")
    assert untracked_files(repo) == ["new.txt"]
    assert not read_checkout(repo, "HEAD").filtered


def test_settings_cannot_hide_changes(repo: Path) -> None:
    git(repo, "config", "diff.ignoreSubmodules", "all")
    git(repo, "config", "core.fileMode", "false")
    (repo / ".git/info").mkdir(exist_ok=True)
    (repo / ".git/info/grafts").write_text("0" * 40 + "\n")
    (repo / "a.py").write_text("x = 2\n")
    with pytest.raises(UsageError, match=r"not committed: a\.py"):
        look_at(repo)


def test_a_linked_worktree_with_programs(repo: Path, program: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(repo, "worktree", "add", "-q", str(linked))
    git(repo, "config", "extensions.worktreeConfig", "true")
    git(linked, "config", "--worktree", "core.fsmonitor", str(program))
    own = repo / ".git/worktrees/linked"
    (own / "hooks").mkdir()
    for folder in (own, repo / ".git"):
        shutil.copy(program, folder / "hooks/post-index-change")
    (tmp_path / "mark").unlink(missing_ok=True)
    assert look_at(linked)["a.py"] == b"x = 1\n"
    assert not was_run(program)


def test_tracing_that_the_environment_asks_for(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_TRACE", "GIT_TRACE2_EVENT", "GIT_TRACE_SETUP", "GIT_TRACE_CURL"):
        monkeypatch.setenv(name, str(tmp_path / "trace"))
    own_repository(repo, "an issue")
    assert not (tmp_path / "trace").exists()


def test_the_socket_of_a_monitor(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo / ".git")  # paths of sockets are short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("fsmonitor--daemon.ipc")
        assert look_at(repo)["a.py"] == b"x = 1\n"


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", ".gitmodules", ".mailmap"])
def test_pipes_in_place_of_files_in_the_working_copy(
    repo: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.git_process.SLOW_S", 0.2)
    git(repo, "rm", "-q", "--cached", ".gitattributes")
    commit = git(repo, "rev-parse", "HEAD")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{commit},library")
    git(repo, "commit", "-q", "-m", "none")
    (repo / ".gitattributes").unlink()
    (repo / "library").mkdir()
    os.mkfifo(repo / name)
    with pytest.raises(UsageError, match=rf"{name} is not a file") as caught:
        look_at(repo)
    assert "git would wait" in caught.value.hint


@pytest.mark.parametrize("name", ["HEAD", "index", "config", "refs/heads/main", "info/exclude"])
def test_pipes_in_the_git_folder(repo: Path, name: str) -> None:
    (repo / ".git" / name).unlink(missing_ok=True)
    (repo / ".git" / name).parent.mkdir(exist_ok=True)
    os.mkfifo(repo / ".git" / name)
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        look_at(repo)


def test_a_pipe_in_place_of_an_object(repo: Path) -> None:
    blob = git(repo, "rev-parse", "HEAD:a.py")
    file = repo / ".git/objects" / blob[:2] / blob[2:]
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        look_at(repo)


def links_behind_a_link(repo: Path, other: Path) -> None:
    blob = git(other, "rev-parse", "HEAD:key.txt")
    hidden = repo / ".git/hidden"
    hidden.mkdir()
    (hidden / blob[2:]).symlink_to(other / ".git/objects" / blob[:2] / blob[2:])
    (repo / ".git/objects" / blob[:2]).symlink_to(hidden)


def commit_graphs(repo: Path, other: Path) -> None:
    git(other, "commit-graph", "write", "--reachable", "--split")
    folder = repo / ".git/objects/info"
    folder.mkdir(exist_ok=True)
    (folder / "commit-graphs").symlink_to(other / ".git/objects/info/commit-graphs")


def deep_reference(repo: Path, other: Path) -> None:
    (repo / ".git/refs/heads/a/b").mkdir(parents=True)
    (repo / ".git/refs/heads/a/b/c").symlink_to(other / "key.txt")


def shared_index(repo: Path, other: Path) -> None:
    git(other, "update-index", "--split-index")
    shared = next((other / ".git").glob("sharedindex.*"))
    (repo / ".git" / shared.name).symlink_to(shared)


def configuration(repo: Path, other: Path) -> None:
    (repo / ".git/config").unlink()
    (repo / ".git/config").symlink_to(other / ".git/config")


def packed_references(repo: Path, other: Path) -> None:
    (repo / ".git/packed-refs").symlink_to(other / "key.txt")


def shallow(repo: Path, other: Path) -> None:
    (repo / ".git/shallow").symlink_to(other / "key.txt")


def inner_git_folder(repo: Path, other: Path) -> None:
    """The other's git folder, whole, below the repository's."""
    shutil.rmtree(repo / ".git")
    shutil.copytree(other / ".git", repo / "copy")
    (repo / ".git").write_text("gitdir: copy\n")


@pytest.mark.parametrize(
    "prepare",
    [
        links_behind_a_link,
        commit_graphs,
        deep_reference,
        shared_index,
        configuration,
        packed_references,
        shallow,
        inner_git_folder,
    ],
    ids=lambda one: one.__name__,
)
def test_links_that_lead_out(
    repo: Path, other: Path, prepare: Callable[[Path, Path], None]
) -> None:
    prepare(repo, other)
    with pytest.raises(UsageError, match="leads to files outside of the repository"):
        look_at(repo)


@pytest.mark.parametrize("named", ["../.git", "../.git/modules/private"])
def test_a_git_file_that_names_the_repository_of_a_folder_above(
    other: Path, tmp_path: Path, named: str
) -> None:
    made(tmp_path / "library", {"secret.txt": SECRET})
    git(
        *(other, *ALLOWED, "submodule", "--quiet", "add"),
        *("--name", "private", str(tmp_path / "library"), "lib"),
    )
    stranger = other / "stranger"
    stranger.mkdir()
    (stranger / ".git").write_text(f"gitdir: {named}\n")
    with pytest.raises(UsageError, match="leads to files outside of the repository"):
        look_at(stranger)


@pytest.mark.parametrize(
    "text",
    ["", "gitdir:", "gitdir: .git", "gitdir: a\0b", "gitdir: " + "x" * 5000, "gitdir: /dev/null"],
)
def test_git_files_that_name_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").write_text(text)
    with pytest.raises(UsageError):
        look_at(tmp_path)


def test_a_git_file_that_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / ".git").symlink_to(".git")
    with pytest.raises(UsageError):
        look_at(tmp_path)


def test_a_bare_repository_among_the_files(repo: Path, program: Path) -> None:
    bare = repo / "fixtures/bare"
    git(repo, "init", "-q", "--bare", str(bare))
    git(bare, "config", "core.fsmonitor", str(program))
    with pytest.raises(UsageError, match="bare repository"):
        own_repository(bare, "an issue")
    assert look_at(repo)["a.py"] == b"x = 1\n"
    assert not was_run(program)


def test_a_git_folder_kept_elsewhere_says_that_it_belongs_here(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    made(here, {"a.py": b"x = 1\n"})
    git(here, "init", "-q", f"--separate-git-dir={there}")
    with pytest.raises(UsageError, match="leads to files outside") as caught:
        look_at(here)
    _, _, command = caught.value.hint.partition(": git ")
    git(tmp_path, *command.split())
    assert look_at(here)["a.py"] == b"x = 1\n"


def test_names_that_look_like_flags_and_commands(tmp_path: Path) -> None:
    names = ("-rf", "--help", "a\nb", "$(touch x)", "`id`.py", "-x/--upload-pack=y")
    repo = made(tmp_path / "odd", dict.fromkeys(names, b"z\n"))
    assert look_at(repo) == dict.fromkeys(names, b"z\n")
    assert not list(tmp_path.glob("**/x"))


def test_links_in_a_commit_stay_links(repo: Path) -> None:
    (repo / "shadow").symlink_to("/etc/shadow")
    (repo / "folder").symlink_to("/etc")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "links")
    assert set(look_at(repo)) == {"a.py", ".gitattributes"}


def test_references_in_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "table"
    folder.mkdir()
    try:
        git(folder, "init", "-q", "--ref-format=reftable")
    except subprocess.CalledProcessError:
        pytest.skip("this git has no reftable")
    (folder / "a.py").write_text("x = 1\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    assert look_at(folder)["a.py"] == b"x = 1\n"


@pytest.mark.parametrize("text", ["nonsense\n", "0" * 40 + "\n", ""])
def test_a_shallow_file_that_somebody_wrote(repo: Path, text: str) -> None:
    (repo / ".git/shallow").write_text(text)
    if text == "nonsense\n":
        with pytest.raises(UsageError, match="bad shallow"):
            look_at(repo)
    else:
        assert look_at(repo)["a.py"] == b"x = 1\n"
