"""What a person is told of their own repository before work begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.run.own import own_instance, patch_notes
from tests.data.codebases.test_checkout import POINTER, filtered
from tests.data.codebases.test_commits import committed, git

if TYPE_CHECKING:
    from pathlib import Path


def notes(folder: Path) -> str:
    return "\n".join(own_instance(folder, "It is wrong.", local=True)[1])


def test_a_plain_repository_gives_no_notes(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", {b"a.py": b"1\n", b".gitattributes": b"* text=auto\n"})
    assert notes(folder).startswith("The repository is in Python")
    assert "\n" not in notes(folder)


def test_a_submodule_that_is_not_checked_out_is_named(tmp_path: Path) -> None:
    library = committed(tmp_path / "library", {b"lib.py": b"lib\n"})
    folder = committed(tmp_path / "repo", {b"a.py": b"1\n"})
    git(folder, "submodule", "--quiet", "add", str(library), "vendor/lib")
    git(folder, "commit", "-qm", "submodule")
    assert "submodule" not in notes(folder)
    git(tmp_path, "clone", "-q", str(folder), "clone")
    said = notes(tmp_path / "clone")
    assert (
        "empty folders for scripts and model: vendor/lib. To check them out: git submodule" in said
    )


def test_pointers_are_named_with_the_command_that_brings_their_content(tmp_path: Path) -> None:
    files = {f"d{at}.json".encode(): POINTER for at in range(5)}
    attributes = {b".gitattributes": b"*.json filter=lfs -text\n"}
    said = notes(committed(tmp_path / "repo", {**attributes, **files}))
    assert "Git LFS" in said
    assert "(to fetch it: git lfs pull): d0.json, d1.json, d2.json and 2 more." in said


def test_files_in_another_form_are_named(tmp_path: Path) -> None:
    said = notes(filtered(tmp_path / "repo", {b"a.dat": b"SIGN\n", b"b.py": b"1\n"}))
    assert "(the filter up) are as in your working copy" in said
    assert said.endswith("the model neither reads nor edits them: a.dat.")


def test_a_patch_that_reaches_into_a_submodule_says_how_it_is_applied(tmp_path: Path) -> None:
    library = committed(tmp_path / "library", {b"lib.py": b"one\n"})
    folder = committed(tmp_path / "repo", {b"a.py": b"one\n"})
    git(folder, "submodule", "--quiet", "add", str(library), "vendor/lib")
    git(folder, "commit", "-qm", "submodule")
    (instance, _) = own_instance(folder, "It is wrong.", local=True)
    diff = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-one\n+two\n"
    assert patch_notes(instance, diff.format("a.py")) == []
    patch = diff.format("vendor/lib/lib.py")
    (note,) = patch_notes(instance, patch)
    assert "(vendor/lib). Apply it in the top folder, without --index." in note
    git(folder, "apply", content=patch.encode())
    assert (folder / "vendor/lib/lib.py").read_bytes() == b"two\n"
