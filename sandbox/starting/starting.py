"""The commands that start scripts, with what proves that a script came to its end.

Code of the repository runs in the script's process, and can end it with any exit code. So an
unguessable word is handed in for each execution, and printed with the exit code at the end: for
Python by a program of ours that starts the script, for a shell script by the shell around it.
"""

from __future__ import annotations

import re
import secrets
import shlex
import sys
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.patches.patch import Patch
    from sandbox.protocol import Script

WORD = "word"
"""The file that holds the word until the script is started."""
START = "start.py"
_PYTHON = re.compile(r"python[0-9.]*")
_SHELLS = {"sh", "bash", "dash", "ksh", "zsh"}
_ADDED = re.compile(
    r"^diff --git a/(?:src/)?([A-Za-z_]\w*)(?:/__init__)?\.\S+ b/.*\nnew file mode", re.MULTILINE
)
_NOT_LOADED = {"test", "this", "antigravity", "idlelib", "lib2to3", "tkinter", "turtledemo"}
"""Modules that do something when they are loaded, or whose names repositories use."""


def new_word(script: Script) -> str:
    """The word that proves the end of one execution; "": for such scripts there is none."""
    words = _words(script)
    return secrets.token_hex(16) if _is_python(words) or _is_shell(words) else ""


def hidden_by(patch: Patch) -> tuple[str, ...]:
    """The modules of the standard library that new files of a patch would hide."""
    return hidden_by_diff(patch.diff)


def hidden_by_diff(diff: str, more: Iterable[str] = ()) -> tuple[str, ...]:
    """As `hidden_by`; `more`: modules that count besides those of the standard library."""
    added = set(_ADDED.findall(diff))
    return tuple(sorted(added & (sys.stdlib_module_names - _NOT_LOADED | set(more))))


def start_program() -> bytes:
    """The text of the program that starts Python scripts."""
    return resources.files(__package__).joinpath(START).read_bytes()


def starts_with_program(script: Script) -> bool:
    """Whether a script is started by `start_program`."""
    return _is_python(_words(script))


def command_lines(
    command: Sequence[str], script: Script, word: str, hidden: Sequence[str], streams: bytes
) -> list[bytes]:
    """Shell lines that run `command`, whose last word is the script's path.

    `streams`: redirections of the script's streams. The folder of tools is in $troop.
    """
    words = [_quoted(each) for each in command]
    if not word:
        return [b" ".join([b"exec", *words, *([streams] if streams else [])])]
    if starts_with_program(script):
        asked = _quoted(",".join(hidden))
        start = [*words[:-1], b"-S", b'"$troop/' + START.encode() + b'"', words[-1]]
        line = b" ".join([b"exec", *start, b'"$troop_path"', asked, streams])
        # Python would load modules from there while it starts.
        return [b"troop_path=${PYTHONPATH-}", b"set +a; unset PYTHONPATH", line]
    return [
        b'set +a; read -r troop_word <"$troop/word"; : >"$troop/word"',
        b" ".join([*words, streams]) + b" && troop_code=0 || troop_code=$?",
        b"printf '\\036%s %s\\n' \"$troop_word\" $troop_code",
        b"exit $troop_code",
    ]


def _quoted(word: str) -> bytes:
    return shlex.quote(word).encode("utf-8", "surrogateescape")


def _words(script: Script) -> list[str]:
    try:
        return shlex.split(script.interpreter)
    except ValueError:
        return []  # the launcher says so


def _is_python(words: Sequence[str]) -> bool:
    names = [index for index, word in enumerate(words) if _PYTHON.fullmatch(_name(word))]
    if not names:
        return False
    options = words[names[-1] + 1 :]
    runs_else = any(word[:2] in {"-m", "-c"} for word in options)
    return not runs_else and all(word.startswith("-") for word in options[:1])


def _is_shell(words: Sequence[str]) -> bool:
    return bool(words) and _name(words[0]) in _SHELLS


def _name(word: str) -> str:
    return PurePosixPath(word).name
