"""A person's own repository, with the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from data.errors import UsageError
from data.instances.repository import MAX_ISSUE_BYTES, own_repository, read_issue, untracked_files


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always"]
    ran = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "my tool"
    (root / "src").mkdir(parents=True)
    (root / "src/app.py").write_text("x = 1\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def test_an_instance(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    instance = own_repository(
        repository, "It breaks.", image="python:3.12", setup="pip install .", repo_dir="/code"
    )
    assert instance.base_commit == commit
    assert instance.instance_id == f"my-tool-{commit[:8]}-2c9d16"
    assert instance.repo == "my tool"
    assert instance.problem_statement == "It breaks."
    environment = instance.environment
    assert environment.source == repository
    assert (environment.image, environment.setup) == ("python:3.12", "pip install .")
    assert (environment.repo_dir, environment.activate) == ("/code", "")
    assert own_repository(repository, "Other.").instance_id != instance.instance_id


def test_a_folder_or_a_file_inside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (repository / "src", repository / "src/app.py"):
        assert own_repository(path, "It breaks.").environment.source == repository
    monkeypatch.chdir(repository / "src")
    assert own_repository(Path(), "It breaks.").environment.source == repository


def test_heads_and_clones(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(repository, "checkout", "-q", first)
    assert own_repository(repository, "It breaks.").base_commit == first
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    assert own_repository(tmp_path / "shallow", "It breaks.").base_commit == first
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"), first)
    assert own_repository(tmp_path / "tree", "x").environment.source == tmp_path / "tree"


@pytest.mark.parametrize(
    ("paths", "shown"),
    [
        (["src/app.py"], "src/app.py"),
        (["new.py"], "new.py"),
        (["fresh/a", "fresh/b"], "fresh/a, fresh/b"),
        (["née\n.py"], r"'n\xe9e\n.py'"),
        ([f"n{n}" for n in range(8)], "n0, n1, n2, n3, n4 and 3 more"),
    ],
)
def test_changes_are_refused(repository: Path, paths: list[str], shown: str) -> None:
    for path in paths:
        (repository / path).parent.mkdir(exist_ok=True)
        (repository / path).write_text("changed\n")
    git(repository, "add", "-A")
    with pytest.raises(UsageError) as caught:
        own_repository(repository, "It breaks.")
    assert caught.value.message.endswith(f"not committed: {shown}.")
    assert "git stash" in caught.value.hint


def test_untracked_files_are_no_changes_but_are_told(repository: Path) -> None:
    (repository / "bug.md").write_text("It breaks.\n")
    (repository / "née.py").write_text("1\n")
    assert own_repository(repository, "It breaks.").base_commit
    assert sorted(untracked_files(repository)) == ["bug.md", "née.py"]


def test_staged_deleted_and_moved_are_changes(repository: Path) -> None:
    git(repository, "mv", "src/app.py", "src/moved.py")
    with pytest.raises(UsageError, match=r"src/app\.py, src/moved\.py"):
        own_repository(repository, "It breaks.")


def test_ignored_files_are_no_changes(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.log\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "ignore")
    (repository / "a.log").write_text("x")
    index = (repository / ".git/index").read_bytes()
    (repository / "src/app.py").touch()
    own_repository(repository, "It breaks.")
    assert (repository / ".git/index").read_bytes() == index


def test_a_submodule_at_another_commit_is_a_change(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(repository), "library")
    git(repository, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(repository, "commit", "-qm", "submodule")
    own_repository(repository, "It breaks.")
    assert own_repository(repository / "lib", "x").environment.source == repository / "lib"
    git(repository / "lib", "commit", "-q", "--allow-empty", "-m", "ahead")
    with pytest.raises(UsageError, match="not committed: lib"):
        own_repository(repository, "It breaks.")


def test_what_is_no_repository_to_work_on(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    git(tmp_path, "init", "-q", "empty")
    git(tmp_path, "init", "-q", "--bare", "bare")
    for name, complaint in (
        ("missing", "no folder"),
        ("plain", "not in a git repository"),
        ("empty", "no commit yet"),
        ("bare", "bare repository"),
        ("empty/.git", "bare|not in a git|cannot read"),
    ):
        with pytest.raises(UsageError, match=complaint):
            own_repository(tmp_path / name, "It breaks.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_repository_of_someone_else_is_read_because_nothing_of_it_is_run(
    repository: Path,
) -> None:
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12345, 12345)
    assert own_repository(repository, "It breaks.").environment.source == repository


def test_git_s_variables_do_not_lead_astray(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert own_repository(repository, "It breaks.").environment.source == repository


def test_a_folder_whose_name_holds_nothing_safe(repository: Path) -> None:
    odd = repository.rename(repository.with_name("--漢字"))
    assert own_repository(odd, "x").instance_id.startswith("repository-")


def test_a_folder_named_like_a_variable(repository: Path) -> None:
    odd = repository.rename(repository.with_name("$HOME"))
    assert own_repository(odd, "It breaks.").environment.source == odd


@pytest.mark.parametrize("issue", ["", " \n\t"])
def test_an_empty_issue(repository: Path, issue: str) -> None:
    with pytest.raises(UsageError, match="issue is empty"):
        own_repository(repository, issue)


def test_issue_files(tmp_path: Path) -> None:
    path = tmp_path / "issue.md"
    path.write_bytes(b"\xef\xbb\xbf# It breaks\r\n")
    assert read_issue(path) == "# It breaks\r\n"
    path.write_bytes(b"x" * MAX_ISSUE_BYTES)
    assert len(read_issue(path)) == MAX_ISSUE_BYTES
    for content, complaint in (
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"caf\xe9", r"not UTF-8 \(byte 3\)"),
        (b"a\0", "NUL"),
        (b"x" * (MAX_ISSUE_BYTES + 1), "200,001 bytes, more than 200,000"),
    ):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=complaint):
            read_issue(path)
    with pytest.raises(UsageError, match="no file"):
        read_issue(tmp_path / "missing.md")
    with pytest.raises(UsageError, match="is a folder"):
        read_issue(tmp_path)
