"""The table of languages: by any name, by a file, by a whole repository."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from data.codebases.codebase import Codebase, SourceFile
from data.codebases.source_paths import dominant_language, guess_language, is_vendored
from data.instances.repository import own_repository
from data.languages.languages import LANGUAGES, find_language, known_language, language_of
from data.languages.scripts import NODE, PHP, PYTHON, RUBY, SHELL, ScriptLanguage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "title", "script"),
    [
        ("python", "Python", PYTHON),
        ("Py", "Python", PYTHON),
        ("JS", "JavaScript", NODE),
        # Node runs no TypeScript by itself, or only some of it: it is built like Go.
        ("ts", "TypeScript", SHELL),
        ("golang", "Go", SHELL),
        ("C++", "C++", SHELL),
        ("rb", "Ruby", RUBY),
        (" PHP ", "PHP", PHP),
        ("zig", "zig", SHELL),
    ],
)
def test_a_language_by_name(name: str, title: str, script: ScriptLanguage) -> None:
    found = find_language(name)
    assert (found.title, found.script) == (title, script)
    assert found.how or found.name == "python"


def test_names_are_stored_as_they_were_before() -> None:
    """An instance's digest holds them."""
    stored = [known_language(name) for name in ("JS", "C++", "golang", "Rust ", "")]
    assert stored == ["javascript", "c++", "golang", "rust", ""]


def test_no_name_and_no_suffix_stands_for_two() -> None:
    names = [name for each in LANGUAGES for name in (each.name, *each.spellings)]
    suffixes = [suffix for each in LANGUAGES for suffix in each.suffixes]
    assert len(set(names)) == len(names)
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


def test_others_code_is_told_by_the_customs_of_its_language() -> None:
    vendored = ("node_modules/a/x.js", "vendor/a/x.go", "vendor/a/x.php", "dist/x.js", "a.min.js")
    assert all(map(is_vendored, vendored))
    own = ("shop/vendor/models.py", "dist/x.py", "a/admin.js", "vendors/x.go", "src/target/x.go")
    assert not any(map(is_vendored, own))


def test_the_language_of_a_file() -> None:
    names = [found.name if found else None for found in map(language_of, ("a.GO", "b.R", "c.md"))]
    assert names == ["go", "r", None]


@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ({"a.go": 10, "tool.py": 9}, "go"),
        ({"a.go": 10, "vendor/b.go": 90, "x.py": 11}, "python"),
        ({"lib/a.rb": 5, "spec/a_spec.rb": 50, "docs/conf.py": 40, "static/x.js": 99}, "ruby"),
        ({"a.ts": 5, "b.ts": 5, "c.js": 9, "dist/c.js": 900}, "typescript"),
        ({"a.c": 10, "a.h": 30, "b.cc": 5}, "c"),
        ({"a.cc": 10, "a.h": 30, "b.c": 5}, "cpp"),
        ({"a.h": 3}, "c"),
        ({"a.go": 5, "b.rs": 5}, "python"),
        ({"README.md": 5, "x.html": 5, "y.css": 5}, "python"),
        ({"tests/a.go": 5}, "python"),
        ({}, "python"),
    ],
)
def test_a_repository_is_in_what_most_of_its_source_is(sizes: dict[str, int], name: str) -> None:
    assert dominant_language(sizes) == name
    files = {path: SourceFile(path, "x" * size) for path, size in sizes.items()}
    assert guess_language(Codebase("digest", files)) == name


def test_an_own_repository_is_looked_at_unless_its_language_is_said(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/shape.rb").write_text("class Shape; end\n")
    (tmp_path / "setup.py").write_text("#\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True)
    guessed = own_repository(tmp_path, "It breaks.")
    assert guessed.environment.language == "ruby"
    assert own_repository(tmp_path, "It breaks.", language="RB").digest == guessed.digest
    said = own_repository(tmp_path, "It breaks.", language="Python")
    assert said.environment.language == "python"
    assert said.digest != guessed.digest
