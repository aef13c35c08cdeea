"""What --issue takes, and what it says of the rest."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from data.errors import UsageError
from runs.cli.shared.issue import given_issue
from tests.support import scripted_model
from tests.support.command import Command, calc_repository, solve_words
from tests.support.model_server import ModelServer


def test_a_path_with_spaces_is_a_file(tmp_path):
    file = tmp_path / "my bug report.md"
    file.write_text("It breaks.")
    assert given_issue(str(file)) == file


@pytest.mark.parametrize(
    "text", ["spread([]) raises ValueError", "# Title\n\nit/breaks\n", "x " * 999]
)
def test_an_issue_that_is_not_a_file_is_the_text_itself(text):
    assert given_issue(text) == text


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        ("bug.md", "There is no file bug.md", "standard input"),
        ("my bug.md", "There is no file my bug.md", "standard input"),
        ("issues/12", "There is no file issues/12", "the issue's text itself"),
        ("https://github.com/a/b/issues/12", "is a URL", "gh issue view https://github.com/a/b/"),
        ("https://example.org/12", "is a URL", "curl -L https://example.org/12 | troop solve"),
        ("", "is empty", ""),
        ("  ", "is empty", ""),
        ("a b" * 100_000, "300,000 bytes", ""),
        ("a \0b", "NUL", ""),
    ],
)
def test_a_missing_file_or_a_url_is_an_error_with_a_hint(given, said, hint):
    with pytest.raises(UsageError) as refused:
        given_issue(given)
    assert said in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\x89PNG\r\n\x1a\n\0", "not UTF-8"),
        (b"a\0b", "NUL"),
        (b"a" * 200_001, "more than 200,000 bytes"),
    ],
)
def test_standard_input_must_be_an_issue(monkeypatch, content, said):
    stream = SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(UsageError, match=said):
        given_issue("-")


@pytest.mark.slow
def test_the_issue_from_a_pipe_is_the_issue_of_the_file(tmp_path):
    troop = Command(tmp_path)
    repository = calc_repository(tmp_path)
    with ModelServer(scripted_model.answer) as server:
        words = solve_words(repository, server.base_url)
        words[words.index("--issue") + 1] = "-"
        done = subprocess.run(
            [sys.executable, "-m", "runs", *words],
            cwd=tmp_path,
            env=troop.environment,
            input=Path(tmp_path, "issue.md").read_bytes(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        asked = len(server.requests)
        troop.finish(*solve_words(repository, server.base_url))
        assert len(server.requests) == asked
