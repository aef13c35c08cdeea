"""A throwaway git repository that only has objects, without a working tree.

Contents go straight into git's object store, so no path of a patch ever touches
the file system, however it is spelled. The few objects are written here, because
git would need a process for each.
"""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias, cast

from data.git_process import run_git
from data.paths import decode_path, encode_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    _Folder: TypeAlias = "dict[bytes, State | _Folder]"

_FAST = 1
EXECUTABLE = 0o100755
REGULAR = 0o100644
_FOLDER = 0o40000


@dataclass(frozen=True, slots=True)
class State:
    """What a path holds."""

    content: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        """Git's mode of it."""
        return EXECUTABLE if self.executable else REGULAR


@dataclass(frozen=True, slots=True)
class Difference:
    """One path on which two trees differ."""

    path: str
    mode: int
    """Git's mode in the second tree; 0: the path is gone."""
    object_id: str


class Scratch:
    """The repository; a context manager that removes it."""

    def __init__(self) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="troop-git-", ignore_cleanup_errors=True)
        self.folder = Path(self._place.name)

    def __enter__(self) -> Self:
        (self.folder / "objects").mkdir()
        (self.folder / "refs").mkdir()
        (self.folder / "HEAD").write_bytes(b"ref: refs/heads/main\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._place.cleanup()

    def run(self, arguments: Sequence[str], content: bytes = b"") -> bytes:
        """Run git in the repository.

        Raises:
            GitFailedError: git ended with an error.
            UsageError: there is no git.
        """
        return run_git(arguments, folder=self.folder, git_dir=self.folder, content=content)

    def tree(self, files: Mapping[str, State]) -> str:
        """Store `files` and their folders. Returns the id of the tree."""
        root: _Folder = {}
        for path, state in files.items():
            *folders, name = encode_path(path).split(b"/")
            folder = root
            for part in folders:
                # The caller makes sure that no path is both a file and a folder.
                folder = cast("_Folder", folder.setdefault(part, {}))
            folder[name] = state
        return self._store_folder(root).hex()

    def differences(self, old: str, new: str) -> Iterator[Difference]:
        """Yield what differs between two trees, by path."""
        raw = self.run(["diff-tree", "-r", "-z", "--raw", "--no-renames", old, new])
        fields = iter(raw.split(b"\0"))
        for head in fields:
            if head:
                _, mode, _, object_id, _ = head.decode("ascii").split(" ")
                yield Difference(decode_path(next(fields)), int(mode, 8), object_id)

    def contents(self, object_ids: Sequence[str]) -> list[bytes]:
        """Read blobs, in the order asked for."""
        requests = "".join(f"{object_id}\n" for object_id in object_ids).encode("ascii")
        answers = self.run(["cat-file", "--batch"], requests)
        found, start = [], 0
        for _ in object_ids:
            end = answers.index(b"\n", start)
            size = int(answers[start:end].split(b" ")[2])
            found.append(answers[end + 1 : end + 1 + size])
            start = end + 1 + size + 1
        return found

    def _store_folder(self, folder: _Folder) -> bytes:
        entries = []
        for name, inner in folder.items():
            if isinstance(inner, State):
                mode, object_id = inner.mode, self._store(b"blob", inner.content)
            else:
                mode, object_id = _FOLDER, self._store_folder(inner)
            entries.append((name, b"%o %s\0%s" % (mode, name, object_id), mode == _FOLDER))
        # Git sorts a folder as if its name ended in a slash.
        entries.sort(key=lambda entry: entry[0] + b"/" if entry[2] else entry[0])
        return self._store(b"tree", b"".join(entry for _, entry, _ in entries))

    def _store(self, kind: bytes, content: bytes) -> bytes:
        whole = b"%s %d\0%s" % (kind, len(content), content)
        object_id = hashlib.sha1(whole, usedforsecurity=False)
        name = object_id.hexdigest()
        file = self.folder / "objects" / name[:2] / name[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(whole, _FAST))
        return object_id.digest()
