"""A codebase for patches, and what a real checkout makes of a diff."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from data.codebases.reader import RawFile, codebase_from_files

if TYPE_CHECKING:
    from data.codebases.codebase import Codebase

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def codebase_of(files: dict[str, bytes], executable: tuple[str, ...] = ()) -> Codebase:
    return codebase_from_files(RawFile(p, c, p in executable) for p, c in files.items())


def checked_out(
    files: dict[str, bytes], diff: str, executable: tuple[str, ...] = ()
) -> dict[str, bytes]:
    """What a checkout holds after `git apply`."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for path, content in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o755 if path in executable else 0o644)
        for arguments in (["init", "-q"], ["add", "-A"], ["apply", "--index", "-"]):
            subprocess.run(
                ["git", *arguments],
                cwd=root,
                env=ENVIRONMENT,
                input=diff.encode("utf-8") if arguments[0] == "apply" and diff else b"",
                check=bool(diff) or arguments[0] != "apply",
                capture_output=True,
            )
        return {
            str(file.relative_to(root)): file.read_bytes()
            for file in root.rglob("*")
            if file.is_file() and ".git" not in file.relative_to(root).parts
        }


BASE = {
    "src/app.py": b"one\ntwo\nthree\n",
    "src/other.py": b"a\nb\n",
    "windows.txt": b"one\r\ntwo\r\nthree\r\n",
    "run.sh": b"#!/bin/sh\n",
    "latin.py": b"# coding: latin-1\nname = '\xe9'\n",
    "image.png": b"\x89PNG\0",
}
CODEBASE = codebase_of(BASE, executable=("run.sh",))
