"""Reading codebases: from a tar stream, from files in memory, from the cache."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard

from data.codebases.codebase import Codebase, SourceFile
from data.codebases.decoding import NotTextError, decode
from data.errors import SandboxError, UsageError
from data.folders import cache_folder
from data.paths import encode_path, is_git_internal, plain_path, show_path
from data.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MAX_FILE_BYTES = 1_000_000
"""Larger files are skipped by default, because most are generated data."""

_CACHE_FORMAT = 1
_DRAIN_BYTES = 1 << 16
_END_OF_ARCHIVE = bytes(1024)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RawFile:
    """One entry of a repository, as it was found."""

    path: str
    """Relative to the repository, with forward slashes; see `data.paths`."""
    content: bytes | None
    """None: not read, and `reason` says why."""
    executable: bool = False
    reason: str = ""


def codebase_from_files(entries: Iterable[RawFile], largest: int = MAX_FILE_BYTES) -> Codebase:
    """The codebase made of `entries`.

    A later entry replaces an earlier one with the same path. Entries in a `.git`
    folder are left out without a reason; files that are not text, or larger than
    `largest` bytes, are left out with one.

    Raises:
        UsageError: a path leads out of the repository.
    """
    found: dict[str, RawFile] = {}
    for entry in entries:
        path = plain_path(entry.path)
        if path and not is_git_internal(path):
            found[path] = entry
    files: dict[str, SourceFile] = {}
    skipped: dict[str, str] = {}
    digest = _Digest()
    for path in sorted(found):
        entry = found[path]
        try:
            text, encoding = _text(path, entry, largest)
        except NotTextError as why:
            skipped[path] = str(why)
            digest.add_skipped(path)
        else:
            files[path] = SourceFile(path, text, encoding, entry.executable)
            digest.add_file(path, entry.content or b"", executable=entry.executable)
    return Codebase(digest.hex(), files, skipped)


def codebase_from_tar(
    stream: BinaryIO,
    *,
    strip: str = "",
    instead: Iterable[RawFile] = (),
    largest: int = MAX_FILE_BYTES,
) -> Codebase:
    """The codebase in an uncompressed tar stream, which is read to its end.

    `strip` is the folder inside the archive that is the repository, for example
    "testbed". Links are never followed; a hard link is a copy of the file it
    names. `instead`: entries that replace those of the archive; `largest`: the
    size, in bytes, of the largest file that is read.

    Raises:
        UsageError: an entry leads out of the archive or lies outside `strip`.
        SandboxError: the archive is damaged or was cut short.
    """
    watched = _Watched(stream)
    try:
        # Python's own tar errors, and the errors that a damaged header causes in its parser.
        with tarfile.open(
            fileobj=cast(BinaryIO, watched), mode="r|", encoding="utf-8", errors="surrogateescape"
        ) as archive:
            found = _tar_entries(archive, plain_path(strip), largest)
            codebase = codebase_from_files(itertools.chain(found, instead), largest)
        watched.drain()
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise SandboxError(f"The archive of the codebase is damaged: {error}.") from error
    if not watched.complete:
        raise SandboxError("The archive of the codebase was cut short.")
    return codebase


class CodebaseCache:
    """Codebases on disk, one compressed file for each key.

    Any number of processes may share a folder, because files appear whole or not at
    all. A damaged file counts as missing. If the folder cannot be written, codebases
    are only read again.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` defaults to `troop/codebases` in the user's cache folder."""
        self._folder = folder or cache_folder() / "codebases"

    def get(self, key: str) -> Codebase | None:
        """What was put under `key`, or None."""
        try:
            return _unpack(self._path(key).read_bytes(), key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, zstandard.ZstdError) as error:
            _LOG.warning("Cached codebase %s is damaged and is read again: %s", key, error)
            return None

    def put(self, key: str, codebase: Codebase) -> None:
        """Keep `codebase` under `key`, which names its state: an image digest, a commit."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, _pack(codebase, key))
        except OSError as error:
            _LOG.warning("Codebase %s could not be cached: %s", key, error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(encode_path(key)).hexdigest()}.zst"


def bounded_key(key: str, largest: int) -> str:
    """The key of a codebase of which files up to `largest` bytes were read."""
    return key if largest == MAX_FILE_BYTES else f"{key}:{largest}"


def large_files(codebase: Codebase) -> dict[str, int]:
    """The files that were left out because of their size, with their size in bytes."""
    found = {path: _TOO_LARGE.match(reason) for path, reason in codebase.skipped.items()}
    return {path: int(size[1].replace(",", "")) for path, size in found.items() if size}


def _text(path: str, entry: RawFile, largest: int) -> tuple[str, str]:
    if entry.content is None:
        raise NotTextError(entry.reason or "not read")
    if len(entry.content) > largest:
        raise NotTextError(_too_large(len(entry.content), largest))
    return decode(path, entry.content)


def _too_large(size: int, largest: int) -> str:
    return f"{size:,} bytes, more than {largest:,}"


_TOO_LARGE = re.compile(r"([\d,]+) bytes, more than ")


class _Digest:
    """SHA-256 over paths, modes and bytes, in path order."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add_file(self, path: str, content: bytes, *, executable: bool) -> None:
        name = encode_path(path)
        kind = b"X" if executable else b"F"
        self._sha.update(b"%s %d %d\0%s" % (kind, len(name), len(content), name))
        self._sha.update(content)

    def add_skipped(self, path: str) -> None:
        name = encode_path(path)
        self._sha.update(b"S %d\0%s" % (len(name), name))

    def hex(self) -> str:
        return self._sha.hexdigest()


class _Watched:
    """A stream that knows whether it ended as a tar archive does.

    `tarfile` accepts a stream that stops between two members as complete.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._tail = b""

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        if block:
            self._tail = (self._tail + block)[-len(_END_OF_ARCHIVE) :]
        return block

    def drain(self) -> None:
        while self.read(_DRAIN_BYTES):
            pass

    @property
    def complete(self) -> bool:
        return self._tail == _END_OF_ARCHIVE


def _tar_entries(archive: tarfile.TarFile, strip: str, largest: int) -> Iterator[RawFile]:
    seen: dict[str, RawFile] = {}
    for member in archive:
        path = _inside(member.name, strip)
        if member.isdir() or not path or is_git_internal(path):
            continue
        entry = _tar_entry(archive, member, path, largest)
        if member.islnk():
            target = seen.get(_inside(member.linkname, strip))
            if target is not None:
                entry = RawFile(path, target.content, target.executable, target.reason)
        seen[path] = entry
        yield entry


def _tar_entry(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, largest: int
) -> RawFile:
    if member.issym():
        reason = f"symbolic link to {show_path(member.linkname)}"
    elif member.islnk():
        reason = f"hard link to {show_path(member.linkname)}, which the archive lacks"
    elif not member.isreg():
        reason = "not a regular file"
    elif member.size > largest:
        reason = _too_large(member.size, largest)
    else:
        body = archive.extractfile(member)
        content = body.read() if body else b""
        if len(content) != member.size:
            raise tarfile.ReadError(f"{path} is cut short")
        return RawFile(path, content, executable=bool(member.mode & 0o100))
    return RawFile(path, None, reason=reason)


def _inside(name: str, strip: str) -> str:
    """The path of an archive's entry in the repository; "" is the repository itself."""
    path = plain_path(name)
    if not strip or path == strip:
        return "" if strip else path
    if not path.startswith(strip + "/"):
        raise UsageError(f"The archive holds {show_path(path)}, which is not in {strip}/.")
    return path[len(strip) + 1 :]


def _pack(codebase: Codebase, key: str) -> bytes:
    contents = {path: file.encode() for path, file in codebase.files.items()}
    head = {
        "format": _CACHE_FORMAT,
        "key": key,
        "digest": codebase.digest,
        "files": [
            [file.path, file.encoding, file.executable, len(contents[path])]
            for path, file in codebase.files.items()
        ],
        "skipped": dict(codebase.skipped),
    }
    plain = b"".join([json.dumps(head).encode("ascii"), b"\n", *contents.values()])
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(plain)


def _unpack(packed: bytes, key: str) -> Codebase:
    frame = zstandard.ZstdDecompressor().decompressobj()
    plain = frame.decompress(packed)
    if not frame.eof or frame.unused_data:
        raise ValueError("not one whole frame")
    start = plain.index(b"\n") + 1
    head = json.loads(plain[:start])
    if head["format"] != _CACHE_FORMAT or head["key"] != key:
        raise ValueError("of another format or key")
    skipped = cast("Mapping[str, str]", head["skipped"])
    files: dict[str, SourceFile] = {}
    contents: dict[str, bytes] = {}
    for path, encoding, executable, size in head["files"]:
        contents[path] = plain[start : start + size]
        start += size
        mark = len(SourceFile(path, "", encoding).encode()) if encoding != "utf-8-sig" else 0
        text = contents[path][mark:].decode(encoding)
        files[path] = SourceFile(path, text, encoding, executable)
    digest = _Digest()
    for path in sorted([*files, *skipped]):
        if path in files:
            digest.add_file(path, contents[path], executable=files[path].executable)
        else:
            digest.add_skipped(path)
    if start != len(plain) or digest.hex() != head["digest"]:
        raise ValueError("the digest differs")
    return Codebase(head["digest"], files, skipped)
