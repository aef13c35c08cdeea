"""What hostile and ordinary repositories are made of, and all that Troop does with them."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

from data.codebases.commits import commit_tar
from data.instances.repository import own_repository, untracked_files

if TYPE_CHECKING:
    from pathlib import Path

WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b"}
WHO |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
ALLOWED = ("-c", "protocol.file.allow=always")
SECRET = b"of another repository"


def git(folder: Path, *words: str, content: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        check=True,
        capture_output=True,
        env=os.environ | WHO,
        input=content,
    )
    return done.stdout.decode("utf-8", "replace").strip()


def made(folder: Path, files: dict[str, bytes], *, kind: str = "sha1") -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", f"--object-format={kind}")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return folder


def was_run(program: Path) -> bool:
    return (program.parent / "mark").exists()


def look_at(repo: Path) -> dict[str, bytes]:
    """All that Troop does with a repository on the host. Returns its files."""
    for file in repo.rglob("*.py"):
        os.utime(file, (1, 1))  # git has to compare it
    instance = own_repository(repo, "an issue", image="x")
    untracked_files(repo)
    out = io.BytesIO()
    commit_tar(instance.environment.source or repo, instance.base_commit, out)
    out.seek(0)
    with tarfile.open(fileobj=out) as tar:
        files = [member for member in tar if member.isfile()]
        return {member.name: tar.extractfile(member).read() for member in files}  # type: ignore[union-attr]
