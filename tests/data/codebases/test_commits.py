"""Commits as archives, with the real git and the real tar."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from data.codebases.checkout import read_checkout
from data.codebases.commits import commit_tar, open_checkout
from data.codebases.reader import codebase_from_tar
from data.codebases.stored import full_commit
from data.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str, content: bytes = b"") -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always"]
    ran = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, input=content
    )
    return ran.stdout.decode().strip()


def committed(folder: Path, files: dict[bytes, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q")
    for path, content in files.items():
        file = os.path.join(os.fsencode(folder), path)  # noqa: PTH118 - bytes
        os.makedirs(os.path.dirname(file), exist_ok=True)  # noqa: PTH103, PTH120
        with open(file, "wb") as out:  # noqa: PTH123
            out.write(content)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def archived(folder: Path, commit: str = "HEAD") -> tarfile.TarFile:
    out = io.BytesIO()
    commit_tar(folder, commit, out)
    out.seek(0)
    return tarfile.open(fileobj=out, encoding="utf-8", errors="surrogateescape")


def contents(archive: tarfile.TarFile) -> dict[str, bytes]:
    found = {}
    for member in archive:
        body = archive.extractfile(member) if member.isreg() else None
        found[member.name] = body.read() if body else member.linkname.encode()
    return found


FILES = {
    b"a.py": b"one\n",
    b"windows.txt": b"one\r\n",
    b"mixed.txt": b"one\r\ntwo\n",
    b"id.txt": b"$Id$ $Format:%H$\n",
    b"kept.bin": bytes(range(256)) * 300,
    b"empty": b"",
    b"deep/" * 30 + b"x" * 120: b"long\n",
    b"caf\xc3\xa9 \t\n\"'.py": b"odd\n",
    b"\xff\xfe.py": b"not utf-8\n",
    b"-x": b"dash\n",
}


def test_every_byte_of_every_file(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", FILES)
    expected = {os.fsdecode(path): content for path, content in FILES.items()}
    assert contents(archived(folder)) == expected


def test_attributes_and_filters_change_nothing(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", FILES)
    expected = contents(archived(folder))
    attributes = "* text eol=crlf ident filter=shout\nid.txt export-subst\na.py export-ignore\n"
    (folder / ".gitattributes").write_text(attributes)
    git(folder, "config", "filter.shout.smudge", "tr a-z A-Z")
    git(folder, "config", "core.autocrlf", "true")
    git(folder, "add", ".gitattributes")
    git(folder, "commit", "-qm", "attributes")
    found = contents(archived(folder))
    assert found.pop(".gitattributes") == attributes.encode()
    assert found == expected


def test_links_and_modes(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", {b"run.sh": b"#!/bin/sh\n", b"a": b"x"})
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("../outside/é")
    (folder / "a").write_bytes(b"not committed")
    git(folder, "add", "run.sh", "link")
    git(folder, "commit", "-qm", "modes")
    archive = archived(folder)
    assert archive.getmember("run.sh").mode == 0o755
    assert archive.getmember("a").mode == 0o644
    assert archive.getmember("link").issym()
    assert archive.getmember("link").linkname == "../outside/é"
    assert contents(archive)["a"] == b"x"
    assert {member.uid for member in archive} == {0}
    time = int(git(folder, "show", "-s", "--format=%ct"))
    assert {member.mtime for member in archive} == {time}


def test_the_tar_program_and_the_reader_take_it(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", FILES)
    out = io.BytesIO()
    commit_tar(folder, "HEAD", out)
    target = tmp_path / "target"
    target.mkdir()
    subprocess.run(["tar", "-C", str(target), "-xf", "-"], input=out.getvalue(), check=True)
    for path, content in FILES.items():
        with open(os.path.join(os.fsencode(target), path), "rb") as file:  # noqa: PTH118, PTH123
            assert file.read() == content
    codebase = codebase_from_tar(io.BytesIO(out.getvalue()))
    assert codebase.skipped == {"kept.bin": "binary (holds NUL bytes)"}
    for path, file in codebase.files.items():
        assert file.encode() == FILES[os.fsencode(path)]


def test_an_older_commit_and_an_unborn_change(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", {b"a": b"1"})
    first = git(folder, "rev-parse", "HEAD")
    (folder / "a").write_bytes(b"2")
    git(folder, "commit", "-qam", "second")
    assert contents(archived(folder, first)) == {"a": b"1"}
    assert contents(archived(folder, first[:12])) == {"a": b"1"}
    assert contents(archived(folder)) == {"a": b"2"}


def test_a_submodule(tmp_path: Path) -> None:
    library = committed(tmp_path / "library", {b"lib.py": b"lib\n", b"sub/x": b"x\n"})
    folder = committed(tmp_path / "repo", {b"a": b"1"})
    git(folder, "submodule", "--quiet", "add", str(library), "vendor/lib")
    git(folder, "commit", "-qm", "submodule")
    here = contents(archived(folder))
    assert here["vendor/lib/lib.py"] == b"lib\n"
    assert here["vendor/lib/sub/x"] == b"x\n"
    git(tmp_path, "clone", "-q", str(folder), "clone")
    archive = archived(tmp_path / "clone")
    assert archive.getmember("vendor/lib").isdir()
    assert set(contents(archive)) == {"a", ".gitmodules", "vendor/lib"}


def test_what_cannot_be_archived(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", {b"a": b"some content\n"})
    for commit in ("nosuch", "0" * 40, "--all", "HEAD:a", ""):
        with pytest.raises(UsageError, match="has no commit"):
            commit_tar(folder, commit, io.BytesIO())
    with pytest.raises(UsageError, match="git repository"):
        commit_tar(tmp_path, "HEAD", io.BytesIO())
    name = git(folder, "rev-parse", "HEAD:a")
    (folder / ".git/objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(UsageError, match="lacks the content of a"):
        commit_tar(folder, "HEAD", io.BytesIO())


def test_a_hostile_tree(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", {b"a": b"x"})
    blob = git(folder, "rev-parse", "HEAD:a")
    entry = b"100644 ..\0" + bytes.fromhex(blob)
    tree = git(folder, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", content=entry)
    commit = git(folder, "commit-tree", "-m", "hostile", tree)
    with pytest.raises(UsageError, match="leads out of the repository"):
        commit_tar(folder, commit, io.BytesIO())


def test_a_repository_with_sha256(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256")
    (folder / "a").write_bytes(b"x")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    assert contents(archived(folder)) == {"a": b"x"}


def test_a_prefix(tmp_path: Path) -> None:
    folder = committed(tmp_path / "r", {b"a/b.txt": b"1"})
    checkout = read_checkout(folder, "HEAD")
    with open_checkout(checkout, "testbed/x") as file, tarfile.open(fileobj=file) as tar:
        assert [member.name for member in tar] == ["testbed/x/a/b.txt"]


@pytest.mark.parametrize("commit", ["f" * 40, "nonsense", "", "--help", "HEAD:a"])
def test_no_such_commit(tmp_path: Path, commit: str) -> None:
    folder = committed(tmp_path / "r", {b"a": b"1"})
    with pytest.raises(UsageError) as caught:
        full_commit(folder, commit)
    assert "git fetch" in caught.value.hint


def test_no_repository(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="git repository"):
            full_commit(folder, "HEAD")


def test_the_environments_git_dir_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = committed(tmp_path / "r", {b"a": b"1"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert len(full_commit(folder, "HEAD")) == 40
