"""A commit's files, as git stores them."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from data.errors import UsageError
from sandbox.gitsource import Kind, commit_entries, commit_tar, full_commit
from tests.sandbox.repository import FILES, LINKS, git

if TYPE_CHECKING:
    from pathlib import Path


def test_all_tracked_files(repository: Path) -> None:
    commit = full_commit(repository, "HEAD")
    entries = {entry.path: entry for entry in commit_entries(repository, commit)}
    assert {path: e.content for path, e in entries.items() if e.kind is not Kind.LINK} == FILES
    assert {p: e.content.decode() for p, e in entries.items() if e.kind is Kind.LINK} == LINKS
    assert [path for path, e in entries.items() if e.kind is Kind.EXECUTABLE] == ["run.sh"]


def test_attributes_change_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitattributes").write_text("secret export-ignore\n*.txt eol=crlf export-subst\n")
    (tmp_path / "secret").write_bytes(b"s")
    (tmp_path / "a.txt").write_bytes(b"$Format:%H$\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "x")
    contents = {e.path: e.content for e in commit_entries(tmp_path, full_commit(tmp_path, "HEAD"))}
    assert contents["secret"] == b"s"
    assert contents["a.txt"] == b"$Format:%H$\n"


def test_odd_names_and_submodules(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    git(tmp_path, "init", "-q")
    names = ["tab\there", "line\nbreak", "-dash", 'quote"', "bytes\udcff"]
    for name in names:
        (tmp_path / name).write_bytes(b"1")
    git(tmp_path, "add", "-A")
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(tmp_path, "commit", "-q", "-m", "x")
    commit = full_commit(tmp_path, "HEAD")
    assert sorted(e.path for e in commit_entries(tmp_path, commit)) == sorted(names)
    assert "sub is a submodule" in caplog.text


def test_the_tar_holds_the_same(repository: Path) -> None:
    commit = full_commit(repository, "main")
    with commit_tar(repository, commit, "testbed") as file, tarfile.open(fileobj=file) as tar:
        members = {member.name: member for member in tar}
    assert set(members) == {f"testbed/{path}" for path in [*FILES, *LINKS]}
    assert members["testbed/run.sh"].mode == 0o755
    assert members["testbed/outside"].linkname == "/etc"


@pytest.mark.parametrize("commit", ["f" * 40, "nonsense", "", "--help", "HEAD:README"])
def test_no_such_commit(repository: Path, commit: str) -> None:
    with pytest.raises(UsageError) as caught:
        full_commit(repository, commit)
    assert "git fetch" in caught.value.mend


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"):
        full_commit(tmp_path, "HEAD")
    with pytest.raises(UsageError, match="not a git repository"):
        full_commit(tmp_path / "nowhere", "HEAD")


def test_the_environments_git_dir_is_not_asked(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert len(full_commit(repository, "HEAD")) == 40
