"""Files that are added, replaced and deleted; paths; encodings; what is refused."""

from __future__ import annotations

import pytest

from agent.edits import EditMismatch, apply_edits, parse_edits
from data.codebases.codebase import SourceFile
from tests.agent.edits.replies import applied, codebase, create, edit

FILES = {
    "setup.py": "setup()\n",
    "src/pkg/mod.py": "a\nb\n",
    "src/pkg/empty.py": "",
    "src/pkg/setup.py": "other()\n",
    "docs/a.md": "# A\n",
}
CODE = codebase(FILES, {"logo.png": "binary (holds NUL bytes)", "link": "symbolic link"})
AB = ("a\n", "c\n")


def refused(reply: str) -> str:
    with pytest.raises(EditMismatch) as caught:
        applied(reply, CODE)
    return str(caught.value)


def test_all_kinds_at_once() -> None:
    reply = (
        edit("src/pkg/mod.py", AB) + create("src/new/x.py", "x\n") + '<delete path="setup.py"/>\n'
    )
    edited = applied(reply, CODE)
    assert edited.changes == {"src/pkg/mod.py": b"c\nb\n", "src/new/x.py": b"x\n", "setup.py": None}
    assert edited.notes == ()


def test_create_replaces_a_file() -> None:
    edited = applied(create("setup.py", "new\n"), CODE)
    assert edited.changes == {"setup.py": b"new\n"}
    assert edited.notes == ("setup.py exists; the whole of it was replaced.",)


def test_create_keeps_the_form_of_the_file() -> None:
    crlf = SourceFile("a", "x\r\ny\r\n", "utf-8-sig")
    assert applied(create("a", "x\nz\n"), {"a": crlf}).changes == {"a": b"\xef\xbb\xbfx\r\nz\r\n"}
    marked = {"a": "\ufeffx\n"}
    assert applied(create("a", "y\n"), marked).changes == {"a": "\ufeffy\n".encode()}
    assert applied(create("a", "\ufeffy\n"), marked).changes == {"a": "\ufeffy\n".encode()}


def test_fence_around_created_content() -> None:
    edited = applied(create("x.py", "```python\nx\n```\n"), CODE)
    assert edited.changes == {"x.py": b"x\n"}
    assert "fence" in edited.notes[0]
    for path, content in [("x.md", "```\nx\n```\n"), ("x.py", "```\nx\n")]:
        assert applied(create(path, content), CODE).changes == {path: content.encode()}


@pytest.mark.parametrize("path", ["src/pkg/new.py", "src/pkg/empty.py"])
@pytest.mark.parametrize("search", ["", "\n", "  \n\n"])
def test_empty_search_fills_a_file(path: str, search: str) -> None:
    assert applied(edit(path, (search, "x\n")), CODE).changes == {path: b"x\n"}


def test_byte_order_mark_is_not_part_of_the_first_line() -> None:
    code = {"a": SourceFile("a", "\ufeffa\nb\n")}
    assert applied(edit("a", AB), code).changes == {"a": "\ufeffc\nb\n".encode()}


def test_encoding_of_the_file() -> None:
    latin = {"a": SourceFile("a", "é\na\n", "iso8859-1")}
    assert applied(edit("a", ("a\n", "ü\n")), latin).changes == {"a": b"\xe9\n\xfc\n"}
    with pytest.raises(EditMismatch, match=r"iso8859-1, which cannot hold '\\u2192' in line 2 of"):
        applied(edit("a", ("a\n", "→\n")), latin)
    with pytest.raises(EditMismatch, match=r"cannot hold '\\udc80' in line 1"):
        applied(create("b", "\udc80\n"), latin)
    wide = {"a": SourceFile("a", "é\na\n", "utf-16-le")}
    assert applied(edit("a", ("a\n", "→\n")), wide).changes == {
        "a": "\ufeffé\n→\n".encode("utf-16-le")
    }


@pytest.mark.parametrize(
    "path",
    [
        "./src/pkg/mod.py",
        ".//src/./pkg/mod.py",
        "a/src/pkg/mod.py",
        "b/src/pkg/mod.py",
        "src\\pkg\\mod.py",
        "/testbed/src/pkg/mod.py",
        "testbed/src/pkg/mod.py",
        "/home/me/repo/src/pkg/mod.py",
        "C:\\work\\repo\\src\\pkg\\mod.py",
        "/src/pkg/mod.py",
        " src/pkg/mod.py ",
        "`src/pkg/mod.py`",
    ],
)
def test_paths_of_edits(path: str) -> None:
    edited = applied(edit(path, AB), CODE)
    assert edited.changes == {"src/pkg/mod.py": b"c\nb\n"}
    if path != "./src/pkg/mod.py":
        assert edited.notes == (f'The path "{path.strip()}" was taken as src/pkg/mod.py.',)


def test_paths_that_may_be_meant_as_they_are() -> None:
    code = codebase({"a/x.py": "a\n", "x.py": "b\n", "a\\y": "c\n", "b/src/z": "", "src/k": ""})
    assert applied(edit("a/x.py", AB), code).changes == {"a/x.py": b"c\n"}
    assert applied(edit("a\\y", ("c\n", "d\n")), code).changes == {"a\\y": b"d\n"}
    for new in ["b/src/new", "c/new", "a/new"]:
        assert applied(create(new, "x\n"), code).changes == {new: b"x\n"}


@pytest.mark.parametrize("path", ["/testbed/src/pkg/new.py", "a/src/pkg/new.py"])
def test_paths_of_new_files(path: str) -> None:
    assert applied(create(path, "x\n"), CODE).changes == {"src/pkg/new.py": b"x\n"}


def test_other_repository_folder() -> None:
    edits = parse_edits(create("/repo/new.py", "x\n"))
    assert apply_edits(edits, CODE, repo_dir="/repo/").changes == {"new.py": b"x\n"}
    with pytest.raises(EditMismatch, match="relative to the root"):
        apply_edits(edits, CODE)


@pytest.mark.parametrize(
    "path",
    [
        *["", " ", ".", "/", "..", "../x", "src/../x", "/etc/passwd", "/x", "C:/x", "\\\\host\\x"],
        *[".git/hooks/x", "src/.GIT/x", ".git", "git~1/x", ".git. /x", "sub/.git/config"],
        *["a\0b", "a\x1bb", "a\udcffb", "~/x", "~", "src", "src/", "src/pkg/", "x" * 256],
        *["a/" * 3000 + "b", "setup.py/x", "link/x", "logo.png/x/y", "logo.png", "./logo.png"],
    ],
)
@pytest.mark.parametrize("kind", ["edit", "create", "delete", "fill"])
def test_hostile_paths(path: str, kind: str) -> None:
    replies = {
        "edit": edit(path, AB),
        "create": create(path, "x\n"),
        "delete": f'<delete path="{path}"/>',
        "fill": edit(path, ("", "x\n")),
    }
    assert len(refused(replies[kind])) < 1000


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (edit("logo.png", AB), "logo.png cannot be edited here: binary (holds NUL bytes)."),
        (create("link", "x\n"), "link cannot be edited here: symbolic link."),
        (edit("/repo/src/pkg/setup.py", AB), "may mean src/pkg/setup.py or setup.py."),
        (edit("src/pkg/modd.py", AB), "no file src/pkg/modd.py. Did you mean src/pkg/mod.py?"),
        (edit("lib/mod.py", AB, ("", "x\n")), "Did you mean src/pkg/mod.py?"),
        ('<delete path="pkg/mod.py"/>', "no file pkg/mod.py. Did you mean src/pkg/mod.py?"),
        ('<delete path="/repo/setup.py"/>', "relative to the root"),
        (edit("src/pkg/mod.py", ("", "x\n")), "its SEARCH is empty, but the file is not."),
        (edit("src/pkg/empty.py", AB), "src/pkg/empty.py is empty"),
        (edit("new.py", ("", "x\n"), ("", "y\n")), "no file new.py."),
        (edit("src/pkg/mod.py", AB) + '<delete path="src/pkg/mod.py"/>', "do not go together"),
        (create("x", "x\n") + edit("./x", ("", "y\n")), "do not go together"),
        (create("x", "x\n") + create("x", "y\n"), "do not go together"),
        (create("x", "x\n") + create("x/y", "y\n"), "x cannot be a file, because x/y is below it."),
        (edit("src/pkg/mod.py", ("a\n", "a\n")), "Your edits change nothing"),
        (create("setup.py", "setup()\n"), "Your edits change nothing"),
    ],
)
def test_refused(reply: str, told: str) -> None:
    assert told in refused(reply)


def test_nothing_to_apply() -> None:
    with pytest.raises(EditMismatch, match="change nothing"):
        apply_edits((), CODE)


def test_part_that_changes_nothing() -> None:
    edited = applied(
        edit("src/pkg/mod.py", AB, ("b\n", "b\n")) + create("setup.py", "setup()\n"), CODE
    )
    assert edited.changes == {"src/pkg/mod.py": b"c\nb\n"}
    assert "src/pkg/mod.py, block 2 (line 7 of your reply), changes nothing." in edited.notes
    assert "setup.py stays as it is." in edited.notes


def test_deleted_twice() -> None:
    assert applied('<delete path="setup.py"/>\n' * 2, CODE).changes == {"setup.py": None}


def test_all_problems_are_told() -> None:
    reply = edit("src/pkg/mod.py", ("x\n", "y\n"), ("b\nc\n", "y\n")) + edit("../x", AB)
    message = refused(reply + create("logo.png", "x\n"))
    for told in ["block 1", "block 2", '"../x" cannot be used', "logo.png cannot be edited"]:
        assert told in message
