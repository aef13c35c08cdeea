"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data.errors import StoreError, TroopError, UsageError
from data.writing import check_place, put_file, whole_file, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_it_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for durable in (False, True):
        write_whole(path, b"%d" % durable, durable=durable)
        assert path.read_bytes() == b"%d" % durable
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_whole(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "folder", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.fixture
def somebody() -> Iterator[None]:
    """Not root, who may write anywhere."""
    before = os.geteuid()
    if before:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(before)


def test_folders_above_a_named_place_are_made(tmp_path: Path) -> None:
    check_place(tmp_path / "a" / "b" / "file")
    check_place(tmp_path / "a" / "b", folder=True)
    assert list(tmp_path.iterdir()) == []
    put_file(tmp_path / "a" / "b" / "file", b"x")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"x"


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def broken() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["/proc/x", "/proc/deep/x", "file/x", "folder"])
def test_a_place_that_cannot_be_written_is_told_before_and_at_the_end(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    path = tmp_path / place
    told = []
    for write in (check_place, lambda path: put_file(path, b"x")):
        with pytest.raises(TroopError, match=re.escape(f"{path}")) as caught:
            write(path)
        told.append((caught.value.message, caught.value.hint))
    assert told[0] == told[1]
    assert all(told[0])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_without_permission(tmp_path: Path, somebody: None) -> None:
    with pytest.raises(StoreError, match=r"/x cannot be written: Permission denied\.$"):
        check_place(Path("/usr/x"))
    with pytest.raises(StoreError, match=r"/x cannot be written: Permission denied\.$"):
        check_place(Path("/usr/x"), folder=True)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match=r"is a file\.$"):
        check_place(tmp_path / "file", folder=True)


def test_a_full_disk(tmp_path: Path) -> None:
    check_place(Path("/dev/full"))
    with pytest.raises(StoreError, match=r"/dev/full cannot be written: No space left on device"):
        put_file(Path("/dev/full"), b"x")


def test_devices_and_links_stay_what_they_are(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"
    link = tmp_path / "link"
    link.symlink_to(target)
    for place in (Path("/dev/stdout"), Path("/dev/fd/1"), Path("/dev/null"), link):
        check_place(place)
        put_file(place, b"said\n")
    assert capfd.readouterr().out == "said\n" * 2
    assert Path("/dev/null").is_char_device()
    assert link.is_symlink()
    assert target.read_bytes() == b"said\n"


def test_a_pipe_is_written_into_once(tmp_path: Path) -> None:
    """Looking at it beforehand must not end its reader."""
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    check_place(pipe)
    put_file(pipe, b"said")
    reader.join(20)
    assert read == [b"said"]


def test_a_file_in_a_folder_that_takes_no_other_is_written_in_place(
    request: pytest.FixtureRequest,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "file"
        path.write_bytes(b"before, and longer")
        path.chmod(0o666)
        Path(name).chmod(0o555)
        request.getfixturevalue("somebody")
        check_place(path)
        put_file(path, b"after")
        assert path.read_bytes() == b"after"
        os.seteuid(os.getuid())
        Path(name).chmod(0o755)


def test_a_folder_that_cannot_be_entered(request: pytest.FixtureRequest) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0)
        request.getfixturevalue("somebody")
        with pytest.raises(StoreError, match="Permission denied"):
            check_place(Path(name) / "file")
        os.seteuid(os.getuid())
        Path(name).chmod(0o755)
