"""The commands that start scripts, with what proves that a script came to its end.

Code of the repository runs in the script's process, and can end it with any exit code. So an
unguessable word is handed in for each execution, and printed with the exit code at the end: for
Python, Node and Ruby by a program of ours that starts the script or is loaded before it, for a
shell script by the shell around it.
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
    from collections.abc import Sequence

    from data.patches.patch import Patch
    from sandbox.protocol import Script

WORD = "word"
"""The file that holds the word until the script is started."""
_PYTHON_START = "start.py"
_PRELOADED = {
    "node": (b"--require ", "start.js"),
    "nodejs": (b"--require ", "start.js"),
    "ruby": (b"-r", "start.rb"),
}
"""By the interpreter: the option that loads a program before the script, and the program."""
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
    return secrets.token_hex(16) if start_of(script) or _is_shell(words) else ""


def hidden_by(patch: Patch) -> tuple[str, ...]:
    """The modules of the standard library that new files of a patch would hide."""
    added = set(_ADDED.findall(patch.diff))
    return tuple(sorted(added & (sys.stdlib_module_names - _NOT_LOADED)))


def start_program(name: str) -> bytes:
    """The text of the program `name`, which `start_of` gave."""
    return resources.files(__package__).joinpath(name).read_bytes()


def start_of(script: Script) -> str:
    """The name of the program that starts a script, or is loaded before it; "": none is."""
    words = _words(script)
    if _is_python(words):
        return _PYTHON_START
    preloaded = _PRELOADED.get(_name(words[0])) if words else None
    return preloaded[1] if preloaded and script.suffix == _suffix(preloaded[1]) else ""


def command_lines(
    command: Sequence[str], script: Script, word: str, hidden: Sequence[str], streams: bytes
) -> list[bytes]:
    """Shell lines that run `command`, whose last word is the script's path.

    `streams`: redirections of the script's streams. The folder of tools is in $troop.
    """
    words = [_quoted(each) for each in command]
    if not word:
        return [b" ".join([b"exec", *words, *([streams] if streams else [])])]
    start = start_of(script)
    if start and start != _PYTHON_START:
        option = _PRELOADED[_name(command[0])][0] + b'"$troop/%s"' % start.encode()
        return [b" ".join([b"exec", words[0], option, *words[1:], streams])]
    if start:
        asked = _quoted(",".join(hidden))
        begin = [*words[:-1], b"-S", b'"$troop/' + start.encode() + b'"', words[-1]]
        line = b" ".join([b"exec", *begin, b'"$troop_path"', asked, streams])
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


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix
