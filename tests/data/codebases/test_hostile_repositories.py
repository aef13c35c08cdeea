"""Repositories of strangers: nothing in them is run, and no file of another one comes in."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from tests.data.codebases.strangers import ALLOWED, SECRET, git, look_at, made, was_run

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = {
    "a file system monitor": ["core.fsmonitor"],
    "a filter": ["filter.f.clean", "filter.f.smudge"],
    "a filter that stays": ["filter.f.process"],
    "a diff": ["diff.d.textconv", "diff.d.command", "diff.external"],
    "a pager": ["core.pager", "pager.show", "pager.status", "pager.ls-files"],
    "what asks": ["core.askPass", "credential.helper", "core.editor", "core.gitProxy"],
    "transports": ["core.sshCommand", "uploadpack.packObjectsHook", "core.alternateRefsCommand"],
    "signatures": ["gpg.program", "gpg.ssh.program", "gpg.x509.program"],
    "an alias": ["alias.status", "alias.show", "alias.ls-files", "alias.cat-file"],
    "a merge": ["merge.f.driver", "mergetool.f.cmd"],
}


@pytest.mark.parametrize("names", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_programs_in_the_configuration(repo: Path, program: Path, names: list[str]) -> None:
    for name in names:
        git(repo, "config", name, f"!{program}" if name.startswith("alias.") else str(program))
    git(repo, "config", "log.showSignature", "true")
    assert look_at(repo)["a.py"] == b"x = 1\n"
    assert not was_run(program)


@pytest.mark.parametrize("key", ["include.path", "includeIf.gitdir:**.path"])
def test_configuration_in_another_file(repo: Path, program: Path, key: str) -> None:
    more = repo.parent / "more"
    more.write_text(f'[core]\n\tfsmonitor = {program}\n[filter "f"]\n\tclean = {program}\n')
    git(repo, "config", key, str(more))
    look_at(repo)
    assert not was_run(program)


def test_configuration_of_the_working_copy(repo: Path, program: Path) -> None:
    git(repo, "config", "extensions.worktreeConfig", "true")
    git(repo, "config", "--worktree", "core.fsmonitor", str(program))
    look_at(repo)
    assert not was_run(program)


def test_hooks(repo: Path, program: Path) -> None:
    names = "post-index-change post-checkout reference-transaction fsmonitor-watchman pre-auto-gc"
    for name in names.split():
        shutil.copy(program, repo / ".git/hooks" / name)
    git(repo, "config", "core.fsmonitor", ".git/hooks/fsmonitor-watchman")
    (program.parent / "mark").unlink(missing_ok=True)
    look_at(repo)
    assert not was_run(program)


def test_a_signed_commit(repo: Path, program: Path) -> None:
    git(repo, "config", "gpg.program", str(program))
    git(repo, "config", "log.showSignature", "true")
    tree, who = git(repo, "rev-parse", "HEAD^{tree}"), "A <a@b> 1 +0000"
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n"
    text = f"tree {tree}\nauthor {who}\ncommitter {who}\n{signature}\nm\n"
    commit = git(repo, "hash-object", "-t", "commit", "-w", "--stdin", content=text.encode())
    git(repo, "update-ref", "HEAD", commit)
    look_at(repo)
    assert not was_run(program)


def test_a_partial_clone_fetches_nothing(repo: Path, program: Path) -> None:
    blob = git(repo, "rev-parse", "HEAD:a.py")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    settings = {
        "core.repositoryformatversion": "1",
        "extensions.partialclone": "origin",
        "remote.origin.url": "ssh://localhost/x",
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "core.sshCommand": str(program),
    }
    for name, value in settings.items():
        git(repo, "config", name, value)
    with pytest.raises(UsageError):
        look_at(repo)
    assert not was_run(program)


def with_submodule(repo: Path, tmp_path: Path) -> Path:
    made(tmp_path / "library", {"s.py": b"y = 1\n"})
    git(repo, *ALLOWED, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(repo, "commit", "-q", "-m", "library")
    return repo / "lib"


def test_programs_in_the_configuration_of_a_submodule(
    repo: Path, program: Path, tmp_path: Path
) -> None:
    library = with_submodule(repo, tmp_path)
    git(library, "config", "core.fsmonitor", str(program))
    files = look_at(repo)
    assert files["lib/s.py"] == b"y = 1\n"
    assert not was_run(program)


def test_changes_in_a_submodule_are_told(repo: Path, tmp_path: Path) -> None:
    library = with_submodule(repo, tmp_path)
    (library / "s.py").write_text("y = 2\n")
    with pytest.raises(UsageError, match=r"not committed: lib/s\.py"):
        look_at(repo)


def alternates(repo: Path, other: Path) -> None:
    (repo / ".git/objects/info/alternates").write_text(f"{other}/.git/objects\n")
    git(repo, "update-ref", "HEAD", git(other, "rev-parse", "HEAD"))


def git_file(repo: Path, other: Path) -> None:
    shutil.rmtree(repo / ".git")
    (repo / ".git").write_text(f"gitdir: {other}/.git\n")


def git_link(repo: Path, other: Path) -> None:
    shutil.rmtree(repo / ".git")
    (repo / ".git").symlink_to(other / ".git")


def common_folder(repo: Path, other: Path) -> None:
    (repo / ".git/commondir").write_text(f"{other}/.git\n")


def worktree(repo: Path, other: Path) -> None:
    git(repo, "config", "core.worktree", str(other))


def linked_objects(repo: Path, other: Path) -> None:
    shutil.rmtree(repo / ".git/objects")
    (repo / ".git/objects").symlink_to(other / ".git/objects")


def linked_object(repo: Path, other: Path) -> None:
    blob = git(other, "rev-parse", "HEAD:key.txt")
    (repo / ".git/objects" / blob[:2]).mkdir(exist_ok=True)
    (repo / ".git/objects" / blob[:2] / blob[2:]).symlink_to(
        other / ".git/objects" / blob[:2] / blob[2:]
    )


def linked_index(repo: Path, other: Path) -> None:
    (repo / ".git/index").unlink()
    (repo / ".git/index").symlink_to(other / ".git/index")


def linked_exclude(repo: Path, other: Path) -> None:
    (repo / ".git/info/exclude").unlink(missing_ok=True)
    (repo / ".git/info").mkdir(exist_ok=True)
    (repo / ".git/info/exclude").symlink_to(other / "key.txt")


def submodule_file(repo: Path, other: Path) -> None:
    commit = git(other, "rev-parse", "HEAD")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    git(repo, "commit", "-q", "-m", "s")
    (repo / "sub").mkdir()
    (repo / "sub/.git").write_text(f"gitdir: {other}/.git\n")


def false_worktree(repo: Path, other: Path) -> None:
    """A linked worktree that the other repository knows nothing of."""
    inside = repo.parent / "fake/worktrees/x"
    inside.mkdir(parents=True)
    (inside / "gitdir").write_text(f"{repo}/.git\n")
    (inside / "commondir").write_text(f"{other}/.git\n")
    (inside / "HEAD").write_text("ref: refs/heads/main\n")
    shutil.rmtree(repo / ".git")
    (repo / ".git").write_text(f"gitdir: {inside}\n")


LEADS_OUT = (
    alternates,
    git_file,
    git_link,
    common_folder,
    worktree,
    linked_objects,
    linked_object,
    linked_index,
    linked_exclude,
    submodule_file,
    false_worktree,
)


@pytest.mark.parametrize("prepare", LEADS_OUT, ids=lambda one: one.__name__)
def test_what_leads_to_another_repository_is_refused(repo: Path, other: Path, prepare) -> None:
    prepare(repo, other)
    with pytest.raises(UsageError, match="leads to files outside of the repository") as caught:
        look_at(repo)
    assert caught.value.hint


def test_a_submodule_behind_a_symbolic_link(repo: Path, other: Path) -> None:
    commit = git(other, "rev-parse", "HEAD")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{commit},d/other")
    git(repo, "commit", "-q", "-m", "s")
    (repo / "d").symlink_to(other.parent)
    with pytest.raises(UsageError, match="not committed: d"):
        look_at(repo)
    (repo / "d").unlink()
    (repo / "d/other").mkdir(parents=True)
    assert SECRET not in look_at(repo).values()


@pytest.mark.parametrize("inner", [b".git", b"..", b".GIT"])
def test_trees_with_names_of_git_s_own(repo: Path, inner: bytes) -> None:
    blob = bytes.fromhex(git(repo, "rev-parse", "HEAD:a.py"))

    def tree(content: bytes) -> str:
        words = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
        return git(repo, *words, content=content)

    inside = bytes.fromhex(tree(b"100644 config\0" + blob))
    whole = tree(b"40000 " + inner + b"\0" + inside + b"100644 a.py\0" + blob)
    git(repo, "update-ref", "HEAD", git(repo, "commit-tree", whole, "-m", "e"))
    with pytest.raises(UsageError):
        look_at(repo)


def test_replaced_objects_are_not_used(repo: Path, other: Path) -> None:
    other_blob = git(repo, "hash-object", "-w", "--stdin", content=SECRET)
    git(repo, "replace", git(repo, "rev-parse", "HEAD:a.py"), other_blob)
    assert look_at(repo)["a.py"] == b"x = 1\n"


def test_the_environment_s_variables_lead_nowhere(
    repo: Path, other: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", f"{other}/.git/objects")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(program))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(program))
    look_at(repo)
    assert not was_run(program)


def test_an_extension_that_git_does_not_know(repo: Path) -> None:
    git(repo, "config", "core.repositoryformatversion", "1")
    git(repo, "config", "extensions.nobodyknows", "true")
    with pytest.raises(UsageError, match="nobodyknows"):
        look_at(repo)


@pytest.mark.parametrize("text", ["[core", "\0\0", "x" * (2 << 20)])
def test_a_damaged_configuration_is_told(repo: Path, text: str) -> None:
    (repo / ".git/config").write_text(text)
    with pytest.raises(UsageError):
        look_at(repo)


class TestOrdinary:
    """What people have, and what has to go on working."""

    def test_a_linked_worktree(self, repo: Path, tmp_path: Path) -> None:
        git(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
        assert look_at(tmp_path / "linked")["a.py"] == b"x = 1\n"

    def test_a_submodule_itself(self, repo: Path, tmp_path: Path) -> None:
        library = with_submodule(repo, tmp_path)
        assert look_at(library)["s.py"] == b"y = 1\n"

    def test_a_shallow_clone(self, repo: Path, tmp_path: Path) -> None:
        git(tmp_path, *ALLOWED, "clone", "-q", "--depth=1", f"file://{repo}", "shallow")
        assert look_at(tmp_path / "shallow")["a.py"] == b"x = 1\n"

    def test_a_sparse_checkout(self, tmp_path: Path) -> None:
        repo = made(tmp_path / "wide", {"in/a.py": b"1\n", "out/b.py": b"2\n"})
        git(repo, "sparse-checkout", "set", "--sparse-index", "in")
        assert look_at(repo)["out/b.py"] == b"2\n"

    def test_a_split_index(self, repo: Path) -> None:
        git(repo, "update-index", "--split-index")
        assert look_at(repo)["a.py"] == b"x = 1\n"

    def test_sha256(self, tmp_path: Path) -> None:
        repo = made(tmp_path / "long", {"a.py": b"x = 1\n"}, kind="sha256")
        assert look_at(repo)["a.py"] == b"x = 1\n"

    def test_line_ends_that_the_configuration_names(self, tmp_path: Path) -> None:
        repo = made(tmp_path / "lines", {"a.txt": b"one\n"})
        git(repo, "config", "core.autocrlf", "true")
        (repo / "a.txt").unlink()
        git(repo, "checkout", "a.txt")
        assert (repo / "a.txt").read_bytes() == b"one\r\n"
        assert look_at(repo)["a.txt"] == b"one\n"

    def test_git_lfs_files_that_were_copied(self, tmp_path: Path) -> None:
        content = b"large\n"
        digest = hashlib.sha256(content).hexdigest()
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 6\n"
        repo = made(tmp_path / "lfs", {"a.bin": pointer.encode()})
        (repo / ".gitattributes").write_text("*.bin filter=lfs\n")
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", "attributes")
        (repo / "a.bin").write_bytes(content)
        assert look_at(repo)["a.bin"] == content
        (repo / "a.bin").write_bytes(b"changed\n")
        with pytest.raises(UsageError, match=r"not committed: a\.bin"):
            look_at(repo)
