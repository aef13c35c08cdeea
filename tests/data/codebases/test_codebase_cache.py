"""Codebases on disk."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from data.codebases.reader import CodebaseCache, RawFile, codebase_from_files

if TYPE_CHECKING:
    import pytest

CODEBASE = codebase_from_files(
    [
        RawFile("a.py", "naïve\r\n".encode()),
        RawFile("latin.py", "# coding: latin-1\n# é\n".encode("latin-1"), executable=True),
        RawFile("big.txt", b"\xfe\xff" + "é".encode("utf-16-be")),
        RawFile("little.txt", b"\xff\xfe" + "é".encode("utf-16-le")),
        RawFile("mark.txt", b"\xef\xbb\xbf\xef\xbb\xbfx"),
        RawFile("empty", b""),
        RawFile(b"\xff".decode("utf-8", "surrogateescape"), b"odd name"),
        RawFile("picture.png", b"\0"),
    ]
)


def test_what_was_put_comes_back(tmp_path: Path) -> None:
    cache = CodebaseCache(tmp_path / "made" / "on demand")
    assert cache.get("key") is None
    cache.put("key", CODEBASE)
    assert cache.get("key") == CODEBASE
    assert cache.get("other") is None
    assert list(cache.get("key").files) == list(CODEBASE.files)  # type: ignore[union-attr]


def test_keys_may_be_any_text(tmp_path: Path) -> None:
    cache = CodebaseCache(tmp_path)
    for key in ("../../up", "", "a/b:c\n", "é" * 500):
        cache.put(key, CODEBASE)
        assert cache.get(key) == CODEBASE
    assert {path.suffix for path in tmp_path.iterdir()} == {".zst"}


def test_a_damaged_file_is_a_miss_and_is_replaced(tmp_path: Path) -> None:
    cache = CodebaseCache(tmp_path)
    cache.put("key", CODEBASE)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    damaged = [b"", b"noise", whole[:-1], whole[:20], whole + b"x", whole + whole]
    damaged += [
        whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :] for i in range(0, len(whole), 3)
    ]
    for content in damaged:
        file.write_bytes(content)
        # A flipped bit that nothing reads (a reserved one) may leave the content right.
        assert cache.get("key") in (None, CODEBASE)
    file.write_bytes(whole[:-1])
    assert cache.get("key") is None
    cache.put("key", CODEBASE)
    assert cache.get("key") == CODEBASE


def test_another_key_s_file_is_a_miss(tmp_path: Path) -> None:
    cache = CodebaseCache(tmp_path)
    cache.put("one", CODEBASE)
    (one,) = tmp_path.iterdir()
    cache.put("two", CODEBASE)
    (two,) = set(tmp_path.iterdir()) - {one}
    two.write_bytes(one.read_bytes())
    assert cache.get("two") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = CodebaseCache(tmp_path / "file" / "folder")
    cache.put("key", CODEBASE)
    assert cache.get("key") is None


def test_nothing_is_left_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    CodebaseCache(tmp_path).put("key", CODEBASE)
    assert list(tmp_path.iterdir()) == []


def test_readers_and_writers_at_the_same_time(tmp_path: Path) -> None:
    seen = []

    def work() -> None:
        cache = CodebaseCache(tmp_path)
        for _ in range(20):
            cache.put("key", CODEBASE)
            seen.append(cache.get("key") == CODEBASE)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert all(seen)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    CodebaseCache().put("key", CODEBASE)
    assert len(list((tmp_path / "xdg/troop/codebases").iterdir())) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    CodebaseCache().put("key", CODEBASE)
    assert len(list((tmp_path / "home/.cache/troop/codebases").iterdir())) == 1


@given(st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=60)))
def test_any_codebase_comes_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    codebase = codebase_from_files(RawFile(path, content) for path, content in files.items())
    cache = CodebaseCache(tmp_path_factory.getbasetemp() / "any")
    cache.put("key", codebase)
    assert cache.get("key") == codebase
