"""Makes the demo's git repository from the files that ship with Troop."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from data.codebases.stored import full_commit
from data.git_process import run_git
from data.instances.instance import Environment, Instance

NAME = "cadence"
_WHEN = 1704067200
"""The first second of 2024."""
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")


def demo_instance(folder: Path, *, image: str | None) -> Instance:
    """The demo's instance; its repository is made below `folder` unless it is there.

    The commit is the same on every machine: the same files, author and date.
    """
    with as_file(files(__package__)) as demo:
        repository = _repository(Path(demo) / "library", folder)
        issue = (Path(demo) / "issue.md").read_text(encoding="utf-8")
    return Instance(
        instance_id=f"{NAME}-demo",
        repo=NAME,
        base_commit=full_commit(repository, "HEAD"),
        problem_statement=issue,
        environment=Environment(image=image, repo_dir=f"/repo/{NAME}", source=repository),
    )


def recording() -> Path:
    """The recorded replies."""
    return Path(str(files(__package__).joinpath("replies.jsonl")))


def settings() -> Path:
    """The configuration that the replies were recorded under."""
    return Path(str(files(__package__).joinpath("demo.toml")))


def _repository(library: Path, folder: Path) -> Path:
    """A git repository of one commit, made when it is first needed and renamed into place."""
    place = folder / _digest(library) / NAME
    if (place / ".git").is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        made = Path(scratch) / NAME
        shutil.copytree(library, made, ignore=_LEFT_OUT)
        _commit(made)
        try:
            made.rename(place)
        except OSError:
            if not (place / ".git").is_dir():  # if it is, another process was faster
                raise
    return place


def _commit(folder: Path) -> None:
    def git(*arguments: str, content: str = "") -> str:
        git_dir = folder / ".git"
        return run_git(arguments, folder=folder, git_dir=git_dir, content=content.encode()).decode()

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all", "--force")
    who = f"The {NAME} authors <{NAME}@example.org> {_WHEN} +0000"
    lines = (f"tree {git('write-tree').strip()}", f"author {who}", f"committer {who}", "")
    commit = "\n".join((*lines, f"{NAME} 0.4.1"))
    made = git("hash-object", "-t", "commit", "-w", "--stdin", content=commit)
    git("update-ref", "refs/heads/main", made.strip())


def _digest(library: Path) -> str:
    sha = hashlib.sha256()
    for path in sorted(p for p in library.rglob("*") if p.is_file()):
        if "__pycache__" not in path.parts:
            sha.update(f"{path.relative_to(library).as_posix()}\0".encode() + path.read_bytes())
    return sha.hexdigest()[:16]
