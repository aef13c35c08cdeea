"""The work that every contender does: a repository, patches on it, and a script."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

from data.patches.patch import UNEDITED, FileChange, Patch
from sandbox.protocol import Script

REPO_DIR = "/testbed"
IMPORTED = 22
"""Modules that the script imports, the patched one among them."""

_FILES = 300
_FUNCTIONS = 38
_TARGET = 7
"""The module that patches change."""
_OFFSET = 1_000_000

_FUNCTION = '''
def step_{n}(values, limit={limit}):
    """Add up what lies below the limit, as the ledger of part {n} asks for it."""
    total = 0
    for index, value in enumerate(values):
        if value < limit and index % {modulus}:
            total += value * {factor} + index
    return total
'''
_HEAD = '''"""Part {n} of the ledger."""

import functools


def adjusted(value):
    """Scale a value and move it."""
    scale = 1
    offset = 0
    return value * scale + offset


@functools.lru_cache(maxsize=8)
def checksum(size):
    """What all steps make of the first numbers."""
    return sum(step(range(size)) for step in STEPS)

'''

SCRIPT = f"""\
import importlib, sys
names = ["ledger.part_%03d" % number for number in range({IMPORTED})]
modules = [importlib.import_module(name) for name in names]
print(sum(module.checksum(5) for module in modules), modules[{_TARGET}].adjusted(10))
"""

IDENTITY = f"""\
import hashlib, os, pathlib, sys
sha = hashlib.sha256()
python = os.path.realpath(sys.executable)
sha.update(pathlib.Path(python).read_bytes())
files = sorted(p for p in pathlib.Path("{REPO_DIR}").rglob("*") if p.is_file())
for path in files:
    if ".git" not in path.parts:
        sha.update(str(path).encode() + path.read_bytes())
names = sorted(n for n in os.environ if n.startswith("PYTHON") or n in ("PATH", "LANG", "TERM"))
print(python, sys.version.split()[0], os.getcwd(), sys.flags.dont_write_bytecode,
      [(name, os.environ[name]) for name in names], sha.hexdigest())
"""
"""Prints which interpreter, files and environment variables there are."""


@dataclass(frozen=True, slots=True)
class Job:
    """One execution: the patch, the script, and the expected output."""

    patch: Patch
    script: Script
    expected: str | None
    """None: whatever comes out."""


@dataclass(slots=True)
class Workload:
    """The generated repository and the jobs on it."""

    _sources: list[str] = field(init=False)
    _checksum: int = field(init=False)
    _fixed: Patch = field(init=False)
    _counter: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._sources = [_source(number) for number in range(_FILES)]
        self._checksum = sum(_checksum(source) for source in self._sources[:IMPORTED])
        self._fixed = self._patch(_OFFSET)

    def files(self) -> dict[str, bytes]:
        """The repository, path by path."""
        return {
            "ledger/__init__.py": b"",
            ".gitignore": b"__pycache__\n",
            **{_path(number): source.encode() for number, source in enumerate(self._sources)},
        }

    def plain(self) -> Job:
        """The script without any patch."""
        return Job(UNEDITED, Script(SCRIPT), f"{self._checksum} 10\n")

    def fixed(self) -> Job:
        """The script on the patch that is always the same."""
        return self._job(self._fixed, _OFFSET)

    def fresh(self) -> Job:
        """The script on a patch that nobody has seen before."""
        with self._lock:
            offset = next(self._counter)
        return self._job(self._patch(offset), offset)

    def identity(self) -> Job:
        """Which interpreter and files there are, with the fixed patch."""
        return Job(self._fixed, Script(IDENTITY), None)

    def _job(self, patch: Patch, offset: int) -> Job:
        return Job(patch, Script(SCRIPT), f"{self._checksum} {20 + offset}\n")

    def _patch(self, offset: int) -> Patch:
        before = ["    scale = 1", "    offset = 0"]
        after = ["    scale = 2", f"    offset = {offset}"]
        lines = self._sources[_TARGET].split("\n")
        at = lines.index(before[0])
        path = _path(_TARGET)
        diff = [
            f"diff --git a/{path} b/{path}",
            f"--- a/{path}",
            f"+++ b/{path}",
            f"@@ -{at - 2},8 +{at - 2},8 @@",
            *(f" {line}" for line in lines[at - 3 : at]),
            *(f"-{line}" for line in before),
            *(f"+{line}" for line in after),
            *(f" {line}" for line in lines[at + 2 : at + 5]),
        ]
        content = "\n".join([*lines[:at], *after, *lines[at + 2 :]])
        return Patch.of("\n".join(diff) + "\n", (FileChange(path, content.encode()),))


def target(files: dict[str, bytes]) -> tuple[str, bytes]:
    """The path and the content of the file that patches change."""
    return _path(_TARGET), files[_path(_TARGET)]


def _path(number: int) -> str:
    return f"ledger/part_{number:03d}.py"


def _source(number: int) -> str:
    steps = [
        _FUNCTION.format(n=n, limit=100 + n + number, modulus=2 + n % 5, factor=1 + number % 9)
        for n in range(_FUNCTIONS)
    ]
    names = "".join(f"    step_{n},\n" for n in range(_FUNCTIONS))
    return _HEAD.format(n=number) + "\n".join(steps) + f"\n\nSTEPS = (\n{names})\n"


def _checksum(source: str) -> int:
    names: dict[str, object] = {}
    exec(source, names)
    checksum = names["checksum"]
    assert callable(checksum)
    return int(checksum(5))
