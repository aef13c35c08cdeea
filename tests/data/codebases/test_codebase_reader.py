"""Codebases from tar streams and from files."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.codebases.reader import (
    MAX_FILE_BYTES,
    RawFile,
    bounded_key,
    codebase_from_files,
    codebase_from_tar,
    large_files,
)
from data.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


class Pipe(io.RawIOBase):
    """A stream that cannot seek and gives short reads, as a socket does."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = min(size, 700) if size >= 0 else len(self._rest)
        block, self._rest = self._rest[:size], self._rest[size:]
        return block


def tar_of(
    entries: list[tuple[str, bytes, int]], *, archive_format: int = tarfile.PAX_FORMAT
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=archive_format, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for path, content, mode in entries:
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), mode
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def tar_of_special(kind: bytes, name: str, target: str, first: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        if first:
            info = tarfile.TarInfo(first)
            info.size, info.mode = 5, 0o755
            archive.addfile(info, io.BytesIO(b"text\n"))
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return out.getvalue()


def test_files_modes_and_line_endings_are_kept() -> None:
    stream = tar_of(
        [
            ("testbed/run.sh", b"#!/bin/sh\r\necho\r\n", 0o755),
            ("testbed/a/b.py", b"x = 1\n", 0o644),
            ("testbed/empty.txt", b"", 0o644),
            ("testbed/no_end", b"last", 0o600),
        ]
    )
    codebase = codebase_from_tar(Pipe(stream), strip="testbed/")  # type: ignore[arg-type]
    assert list(codebase.files) == ["a/b.py", "empty.txt", "no_end", "run.sh"]
    assert codebase.files["run.sh"].text == "#!/bin/sh\r\necho\r\n"
    assert codebase.files["run.sh"].executable
    assert not codebase.files["a/b.py"].executable
    assert codebase.skipped == {}


def test_a_leading_dot_is_no_part_of_a_path() -> None:
    codebase = codebase_from_tar(io.BytesIO(tar_of([("./a//b.py", b"", 0o644)])))
    assert list(codebase.files) == ["a/b.py"]


def test_what_is_no_text_is_skipped_with_a_reason() -> None:
    large = b"x" * (MAX_FILE_BYTES + 1)
    codebase = codebase_from_tar(
        io.BytesIO(
            tar_of(
                [
                    ("image.png", b"\x89PNG\0\0", 0o644),
                    ("large.csv", large, 0o644),
                    ("just_fits.csv", large[1:], 0o644),
                    (".git", b"gitdir: elsewhere\n", 0o644),
                    ("sub/.git/config", b"[core]\n", 0o644),
                ]
            )
        )
    )
    assert list(codebase.files) == ["just_fits.csv"]
    assert codebase.skipped == {
        "image.png": "binary (holds NUL bytes)",
        "large.csv": "1,000,001 bytes, more than 1,000,000",
    }


def test_a_symbolic_link_is_never_followed() -> None:
    stream = tar_of_special(tarfile.SYMTYPE, "link.py", "/etc/passwd", first="a.py")
    codebase = codebase_from_tar(io.BytesIO(stream))
    assert list(codebase.files) == ["a.py"]
    assert codebase.skipped == {"link.py": "symbolic link to /etc/passwd"}


def test_a_hard_link_is_a_copy() -> None:
    stream = tar_of_special(tarfile.LNKTYPE, "t/copy.py", "t/a.py", first="t/a.py")
    codebase = codebase_from_tar(io.BytesIO(stream), strip="t")
    assert codebase.files["copy.py"].text == "text\n"
    assert codebase.files["copy.py"].executable


def test_a_hard_link_to_nothing_and_a_device_are_skipped() -> None:
    for kind in (tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        codebase = codebase_from_tar(io.BytesIO(tar_of_special(kind, "odd", "missing")))
        assert list(codebase.skipped) == ["odd"]


@pytest.mark.parametrize("archive_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_paths_that_are_not_utf8(archive_format: int) -> None:
    path = b"caf\xe9/\xff.py".decode("utf-8", "surrogateescape")
    stream = tar_of([(path, b"x\n", 0o644)], archive_format=archive_format)
    assert list(codebase_from_tar(io.BytesIO(stream)).files) == [path]


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.py", "a/../../up.py", "a/..", ".."])
def test_a_hostile_archive_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="leads out of the repository"):
        codebase_from_tar(io.BytesIO(tar_of([("ok.py", b"", 0o644), (path, b"", 0o644)])))


def test_an_entry_outside_the_folder_is_refused() -> None:
    with pytest.raises(UsageError, match=r"not in testbed/"):
        codebase_from_tar(io.BytesIO(tar_of([("testbed2/a", b"", 0o644)])), strip="testbed")


def test_every_cut_of_an_archive_is_noticed() -> None:
    whole = tar_of([("a.py", b"x" * 600, 0o644), ("b.py", b"y" * 20, 0o644)])
    content_end = 512 + 1024 + 512 + 512
    for end in range(0, content_end + 1, 64):
        with pytest.raises(SandboxError):
            codebase_from_tar(io.BytesIO(whole[:end]))


@given(st.binary(max_size=3000))
def test_noise_is_an_error_a_person_can_read(noise: bytes) -> None:
    with pytest.raises(SandboxError):
        codebase_from_tar(io.BytesIO(noise or b"\1"))


@given(st.integers(0, 1535), st.integers(0, 255))
def test_a_damaged_header_raises_nothing_else(position: int, byte: int) -> None:
    path = "long/" * 40 + "f.py"
    stream = bytearray(tar_of([(path, b"x\n", 0o644)]))
    stream[position] = byte
    with contextlib.suppress(SandboxError, UsageError):
        codebase_from_tar(io.BytesIO(bytes(stream)))


def test_the_stream_of_the_tar_program(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "deep" / ("x" * 120)).mkdir(parents=True)
    (root / "deep" / ("x" * 120) / "naïve.py").write_text("é\n", encoding="utf-8")
    (root / "link").symlink_to("deep")
    (root / "hard").write_bytes(b"h\n")
    (root / "twin").hardlink_to(root / "hard")
    made = subprocess.run(
        ["tar", "-C", str(tmp_path), "-cf", "-", "repo"], check=True, capture_output=True
    )
    codebase = codebase_from_tar(io.BytesIO(made.stdout), strip="repo")
    assert list(codebase.files) == ["deep/" + "x" * 120 + "/naïve.py", "hard", "twin"]
    assert codebase.files["twin"].text == "h\n"


def test_the_digest_tells_content_from_order() -> None:
    one = RawFile("a.py", b"1")
    two = RawFile("b.py", b"2")
    digest = codebase_from_files([one, two]).digest
    assert codebase_from_files([two, one]).digest == digest
    others = [
        [one],
        [one, RawFile("b.py", b"3")],
        [one, RawFile("c.py", b"2")],
        [one, RawFile("b.py", b"2", executable=True)],
        [one, two, RawFile("c", None, reason="why")],
        [RawFile("a.py", b"1b.py"), RawFile("b.py", b"2")],
    ]
    digests = {codebase_from_files(other).digest for other in others}
    assert len(digests) == len(others)
    assert digest not in digests


def test_a_later_entry_replaces_an_earlier_one() -> None:
    codebase = codebase_from_files([RawFile("a", b"1"), RawFile("./a", None, reason="gone")])
    assert not codebase.files
    assert codebase.skipped == {"a": "gone"}


paths = st.lists(
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1)
    .map(lambda name: name.encode()[:200].decode(errors="ignore"))
    .filter(lambda name: name not in {"", ".", ".."} and name.lower() != ".git"),
    min_size=1,
    max_size=4,
).map("/".join)


@given(st.dictionaries(paths, st.tuples(st.binary(max_size=200), st.booleans()), max_size=5))
def test_what_is_not_skipped_comes_back_byte_for_byte(
    tree: dict[str, tuple[bytes, bool]],
) -> None:
    entries = [(p, content, 0o755 if runs else 0o644) for p, (content, runs) in tree.items()]
    codebase = codebase_from_tar(io.BytesIO(tar_of(entries)))
    assert set(codebase.files) | set(codebase.skipped) == set(tree)
    for path, file in codebase.files.items():
        assert (file.encode(), file.executable) == tree[path]
        assert file.path == path


def test_a_raised_bound_reads_a_larger_file() -> None:
    large = b"x" * (MAX_FILE_BYTES + 1)
    entries = [RawFile("a.py", large), RawFile("b.py", b"y")]
    assert large_files(codebase_from_files(entries)) == {"a.py": MAX_FILE_BYTES + 1}
    raised = codebase_from_files(entries, MAX_FILE_BYTES + 1)
    assert raised.files["a.py"].encode() == large
    stream = io.BytesIO(tar_of([("a.py", large, 0o644), ("b.py", b"y", 0o644)]))
    assert codebase_from_tar(stream, largest=MAX_FILE_BYTES + 1).digest == raised.digest
    assert bounded_key("k", MAX_FILE_BYTES) == "k" != bounded_key("k", 7)
