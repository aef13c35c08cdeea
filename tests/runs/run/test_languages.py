"""The whole pipeline on repositories in Ruby and in C, on an image of Debian packages."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.command import Command
from tests.support.debian_image import RUBY_AND_C, debian_image
from tests.support.docker import python_image
from tests.support.model_server import ModelServer
from tests.support.scripted_languages import RUBY, C, Case
from tests.support.views import view

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["python_image"]

pytestmark = pytest.mark.docker


@pytest.fixture
def troop(tmp_path: Path) -> Command:
    return Command(tmp_path)


def repository_of(case: Case, folder: Path) -> Path:
    """The case's repository, committed, with its issue beside it."""
    repository = folder / case.language.lower()
    for path, text in case.files.items():
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    # The same commit every time, so that the image prepared for it is found again.
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2024-01-01T00:00:00Z")
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=repository, check=True, env=os.environ | dates)
    (folder / "issue.md").write_text(case.issue)
    return repository


def words_of(repository: Path, url: str, *more: str) -> list[str]:
    words = ["solve", "--repo", str(repository), "--issue", str(repository.parent / "issue.md")]
    return [*words, "--model", "mock", "--base-url", url, "--samples", "3", *more]


@pytest.mark.parametrize("case", [RUBY, C], ids=lambda case: case.language)
def test_a_repository_in_another_language_is_repaired(troop: Command, case: Case) -> None:
    repository = repository_of(case, troop.folder)
    with ModelServer(case.answer) as server:
        image = debian_image(RUBY_AND_C)
        words = words_of(repository, server.base_url, "--image", image, "--patch-only")
        code, patch, errors = troop.run(*words)
    assert code == 0, errors
    assert f"is in {case.language} (going by its files" in errors
    assert f"Test scripts are in {case.scripts}" in errors

    subprocess.run(["git", "apply", "-"], cwd=repository, input=patch, text=True, check=True)
    assert (repository / case.path).read_text() in {case.right, case.right_too}
    with troop.reader() as reader:
        samples = view(reader, "samples")
        assert [row["outcome"] for row in samples] == ["done"] * 3
        before = {row["exit_code"] for row in view(reader, "executions") if not row["edited"]}
        assert before == {1, 2}  # the broken one told nothing, the others saw the issue
        votes = {(row["candidate"], row["test"]): row["verdict"] for row in view(reader, "votes")}
    assert {verdict for (candidate, _), verdict in votes.items() if candidate == 0} == {"fail"}
    assert [votes[2, test] for test in (1, 2, 3)] == ["fail", "pass", "fail"]
    assert [votes[1, test] for test in (1, 2, 3)] == ["pass"] * 3


def test_programs_that_scripts_lack_are_reported_before_the_model_is_asked(
    troop: Command, python_image: str
) -> None:
    repository = repository_of(RUBY, troop.folder)
    with ModelServer(RUBY.answer) as server:
        words = words_of(repository, server.base_url, "--image", python_image)
        code, _, errors = troop.run(*words)
        assert code == 3
        assert "There is no 'ruby' to run scripts with" in errors
        code, _, errors = troop.run(*words, "--language", "go", "--fresh")
        assert code == 3
        assert "There is no go on the PATH" in errors
        assert "golang" in errors
        assert not [seen for seen in server.seen if "completions" in seen.path]
