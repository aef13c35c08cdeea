"""What a commit's files are on this machine: submodules and filters, with the real git."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from data.codebases.checkout import read_checkout, stored_instead
from data.codebases.commits import checkout_tar
from data.codebases.reader import codebase_from_tar
from tests.data.codebases.test_commits import committed, contents, git

if TYPE_CHECKING:
    from pathlib import Path

    from data.codebases.codebase import Codebase

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


def read(folder: Path, commit: str = "HEAD") -> tuple[dict[str, bytes], Codebase, str]:
    """The files for scripts, the codebase for the model, and the key of both."""
    checkout = read_checkout(folder, commit)
    out = io.BytesIO()
    checkout_tar(checkout, out)
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as archive:
        files = contents(archive)
    out.seek(0)
    return files, codebase_from_tar(out, instead=stored_instead(checkout)), checkout.key


def filtered(folder: Path, files: dict[bytes, bytes], **commands: str) -> Path:
    """A repository with the filter "up": it stores lower case, the working copy has upper case."""
    folder.mkdir()
    git(folder, "init", "-q")
    for name, command in ({"clean": "tr A-Z a-z", "smudge": "tr a-z A-Z"} | commands).items():
        git(folder, "config", f"filter.up.{name}", command)
    return committed(folder, {b".gitattributes": b"*.dat filter=up\n", **files})


def test_a_plain_repository_is_known_by_its_commit(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", {b"a.py": b"1\n", b".gitattributes": b"*.py text\n"})
    assert read(folder)[2] == git(folder, "rev-parse", "HEAD")


def test_a_submodule_that_is_checked_out_later_is_read(tmp_path: Path) -> None:
    library = committed(tmp_path / "library", {b"lib.py": b"lib\n"})
    origin = committed(tmp_path / "origin", {b"a.py": b"1\n"})
    git(origin, "submodule", "--quiet", "add", str(library), "lib")
    git(origin, "commit", "-qm", "submodule")
    git(tmp_path, "clone", "-q", str(origin), "clone")
    clone = tmp_path / "clone"
    before = read(clone)
    assert read_checkout(clone, "HEAD").not_checked_out() == ["lib"]
    git(clone, "submodule", "--quiet", "update", "--init")
    after = read(clone)
    assert read_checkout(clone, "HEAD").not_checked_out() == []
    assert "lib/lib.py" not in before[0]
    assert after[0]["lib/lib.py"] == b"lib\n"
    assert len({before[2], after[2], git(clone, "rev-parse", "HEAD")}) == 3
    assert after[2] == read(origin)[2], "two clones with the same files share what is kept"


def test_scripts_see_what_the_working_copy_has_and_patches_what_git_stores(
    tmp_path: Path,
) -> None:
    folder = filtered(tmp_path / "repo", {b"a.dat": b"SIGN\n", b"b.py": b"1\n"})
    git(folder, "config", "filter.up.smudge", f"touch {tmp_path}/ran; cat")
    files, codebase, key = read(folder)
    assert files["a.dat"] == b"SIGN\n"
    assert codebase.skipped == {"a.dat": "kept by git in another form (the filter up)"}
    assert set(codebase.files) == {".gitattributes", "b.py"}
    assert key != git(folder, "rev-parse", "HEAD")
    assert not (tmp_path / "ran").exists(), "a filter was run"


def test_what_is_read_is_in_the_key(tmp_path: Path) -> None:
    """Two contents that git stores alike."""
    folder = filtered(tmp_path / "repo", {b"a.dat": b"SIGN\n"})
    first = read(folder)
    (folder / "a.dat").write_bytes(b"SIgn\n")
    git(folder, "add", "a.dat")
    assert git(folder, "status", "--porcelain") == ""
    second = read(folder)
    assert (first[0]["a.dat"], second[0]["a.dat"]) == (b"SIGN\n", b"SIgn\n")
    assert first[2] != second[2]


def test_a_filter_that_changes_nothing_takes_no_file_away(tmp_path: Path) -> None:
    folder = filtered(tmp_path / "repo", {b"a.dat": b"plain\n"}, smudge="cat")
    files, codebase, key = read(folder)
    assert files["a.dat"] == codebase.files["a.dat"].encode() == b"plain\n"
    assert key == git(folder, "rev-parse", "HEAD")


def test_changed_missing_or_of_another_commit_is_as_git_stores_it(tmp_path: Path) -> None:
    folder = filtered(tmp_path / "repo", {b"a.dat": b"SIGN\n", b"c.dat": b"C\n"})
    first = git(folder, "rev-parse", "HEAD")
    (folder / "a.dat").write_bytes(b"CHANGED\n")
    (folder / "c.dat").unlink()
    assert {path: read(folder)[0][path] for path in ("a.dat", "c.dat")} == {
        "a.dat": b"sign\n",
        "c.dat": b"c\n",
    }
    git(folder, "commit", "-qam", "second")
    assert read(folder)[0]["a.dat"] == b"CHANGED\n"
    assert read(folder, first)[0]["a.dat"] == b"sign\n"


@pytest.mark.parametrize(
    ("name", "content", "by"),
    [("lfs", POINTER, "Git LFS"), ("git-crypt", b"\0GITCRYPT\0abc", "git-crypt")],
)
def test_a_pointer_is_no_file_of_the_codebase(
    tmp_path: Path, name: str, content: bytes, by: str
) -> None:
    attributes = f"*.json filter={name} -text\n".encode()
    folder = committed(tmp_path / "repo", {b".gitattributes": attributes, b"d.json": content})
    assert read(folder)[1].skipped == {"d.json": f"kept by {by}, and its content is not here"}


def test_conversions_that_git_makes_itself(tmp_path: Path) -> None:
    """Line ends and `$Id$` differ for scripts only; another encoding is no text of git's."""
    attributes = b"*.bat eol=crlf\n*.h ident\n*.rc working-tree-encoding=UTF-16LE-BOM\n"
    files = {b"a.bat": b"one\r\n", b"b.h": b"$Id$\n", b"c.rc": "x\n".encode("utf-16")}
    folder = committed(tmp_path / "repo", {b".gitattributes": attributes, **files})
    (folder / "b.h").unlink()
    git(folder, "checkout", "-q", "--", "b.h")
    seen, codebase, _ = read(folder)
    assert seen["a.bat"] == b"one\r\n"
    assert seen["b.h"].startswith(b"$Id: ")
    assert seen["c.rc"] == files[b"c.rc"]
    assert codebase.files["a.bat"].text == "one\n"
    assert codebase.files["b.h"].text == "$Id$\n"
    assert "working-tree-encoding" in codebase.skipped["c.rc"]


def test_filters_in_a_submodule(tmp_path: Path) -> None:
    library = filtered(tmp_path / "library", {b"a.dat": b"SIGN\n"})
    folder = committed(tmp_path / "repo", {b"a": b"1"})
    git(folder, "submodule", "--quiet", "add", str(library), "lib")
    git(folder, "commit", "-qm", "submodule")
    for name, command in (("clean", "tr A-Z a-z"), ("smudge", "tr a-z A-Z")):
        git(folder / "lib", "config", f"filter.up.{name}", command)
    (folder / "lib/a.dat").unlink()
    git(folder / "lib", "checkout", "-q", "--", "a.dat")
    seen, codebase, _ = read(folder)
    assert seen["lib/a.dat"] == b"SIGN\n"
    assert "lib/a.dat" in codebase.skipped


def test_attributes_beside_the_commit_count(tmp_path: Path) -> None:
    folder = committed(tmp_path / "repo", {b"a.dat": b"one\n"})
    (folder / ".git/info/attributes").write_text("*.dat eol=crlf\n")
    (folder / "a.dat").unlink()
    git(folder, "checkout", "-q", "--", "a.dat")
    assert read(folder)[0]["a.dat"] == b"one\r\n"
