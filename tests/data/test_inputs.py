"""Files that people name: packed, pipes, byte order marks, and what is not a file of that kind."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from data import inputs
from data.errors import UsageError
from data.inputs import open_input, read_input, read_text
from data.instances.loaders import load_instances
from data.instances.picking import read_ids
from data.predictions.predictions import read_predictions
from data.records import read_json
from runs.run.config import load_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = b'{"instance_id": "a__b-1", "model_patch": "x"}\n'
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}
ROW = b'{"instance_id":"a__b-1","repo":"a/b","base_commit":"x","problem_statement":"y"}\n'


@pytest.fixture
def pipe(tmp_path: Path) -> Callable[[bytes], Path]:
    """A pipe that gives some bytes once, as `<(…)` of a shell does."""

    def made(content: bytes) -> Path:
        path = tmp_path / "pipe"
        os.mkfifo(path)
        threading.Thread(target=path.write_bytes, args=(content,), daemon=True).start()
        return path

    return made


@pytest.mark.parametrize("name", PACKERS)
def test_packed_files_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(PACKERS[name](TEXT * 2000) + (b"" if name == "xz" else PACKERS[name](TEXT)))
    assert read_input(path).startswith(TEXT * 2000)
    assert list(read_predictions(path)) == ["a__b-1"]
    with open_input(path) as file:
        assert file.read(5) == TEXT[:5]
        file.seek(0)
        assert file.read(5) == TEXT[:5]


@pytest.mark.parametrize("name", PACKERS)
def test_a_packed_file_that_is_cut_off_says_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(PACKERS[name](os.urandom(5000))[:-9])
    with pytest.raises(UsageError, match=f"packed by {name} and cannot be unpacked") as caught:
        read_input(path)
    assert caught.value.hint


def test_a_packed_file_cannot_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "LARGEST_UNPACKED", 1_000_000)
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(2_000_000)))
    with pytest.raises(UsageError, match="holds more than"):
        read_input(tmp_path / "bomb")


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("preds.json", TEXT)
    return buffer.getvalue()


def _tar(mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        about = tarfile.TarInfo("preds.json")
        about.size = len(TEXT)
        archive.addfile(about, io.BytesIO(TEXT))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (_zip(), "a zip archive"),
        (_tar("w"), "a tar archive"),
        (_tar("w:gz"), "a tar archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (b"\n<!DOCTYPE html>\n<html></html>", "a web page"),
        (b"SQLite format 3\0rest", "a SQLite database"),
    ],
    ids=["zip", "tar", "tar.gz", "lfs", "html", "sqlite"],
)
@pytest.mark.parametrize("reader", [read_predictions, read_json, read_ids, load_config])
def test_what_is_not_such_a_file_is_called_what_it_is(
    tmp_path: Path, content: bytes, what: str, reader: Callable[[Path], object]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=f"is {what}") as caught:
        reader(path)
    assert caught.value.hint


def test_a_folder_of_anothers_run_names_the_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "preds.json").write_bytes(TEXT)
    with pytest.raises(UsageError, match="is a folder") as caught:
        read_predictions(tmp_path)
    assert str(tmp_path / "preds.json") in caught.value.hint


def test_a_pipe_can_be_read_again(pipe: Callable[[bytes], Path]) -> None:
    path = pipe(ROW)
    assert [load_instances(str(path))[0].instance_id for _ in range(2)] == ["a__b-1", "a__b-1"]


def test_a_pipe_of_predictions_is_read(pipe: Callable[[bytes], Path]) -> None:
    assert list(read_predictions(pipe(TEXT * 3))) == ["a__b-1"]


MARK = b"\xef\xbb\xbf"


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(MARK + b"[samples]\ncount = 3\n")
    assert load_config(path).samples.count == 3
    path.write_bytes(MARK + b"a__b-1\n")
    assert read_ids(path) == ["a__b-1"]
    assert read_text(path) == "a__b-1\n"


@pytest.mark.parametrize("reader", [read_json, read_ids, load_config])
def test_utf_16_is_named(tmp_path: Path, reader: Callable[[Path], object]) -> None:
    path = tmp_path / "file"
    path.write_text("[]", encoding="utf-16")
    with pytest.raises(UsageError, match="is UTF-16"):
        reader(path)
