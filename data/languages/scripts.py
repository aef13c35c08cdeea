"""The languages that test scripts are written in, and which exit codes they end with.

The exit codes were measured: an uncaught exception ends Python, Ruby and Node
with 1, PHP with 255, a Rust program with 101; a Go panic, `make` and older versions of `go build`
end with 2, which among test scripts means that the issue is there.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

# Only an `exit` that is written out is a verdict: without this, a script ends with what its last
# command ended with, a syntax error is 2, and so is a `make` that fails under `set -e`.
_EXPLICIT = """trap 'case $- in *e*) exit 1;; esac' ERR; . "$0"; exit 1"""


@dataclass(frozen=True, slots=True)
class ScriptLanguage:
    """A language that test scripts are written in."""

    name: str
    """For people and models."""
    interpreter: str
    """Its name for people and models."""
    suffix: str
    fences: tuple[str, ...]
    """The names of its fenced blocks in Markdown."""
    ends: str = "an uncaught exception gives 1 by itself"
    """The exit code of a script that does not set one, in words for the model."""
    catches: str = (
        "Where the issue shows itself as an exception, catch just that exception and exit with 2,"
        " and let others through."
    )
    writes: str = "temporary folders"
    importable: bool = False
    """Whether a script can import the repository's code directly."""
    opening: str = ""
    """What a script must begin with."""
    command: str = ""
    """The command that runs a script, if it is more than the interpreter."""


PYTHON = ScriptLanguage("Python", "python", ".py", ("python", "py", "python3"), importable=True)
SHELL = ScriptLanguage(
    "Bash",
    "bash",
    ".sh",
    ("bash", "sh", "shell"),
    ends=(
        "the end of the script without an `exit` gives 1 by itself, and so does a command that"
        " fails under `set -e`"
    ),
    catches=(
        "Where the issue shows itself as a crash or an error, tell just that one from all other"
        " failures, by what is printed, and exit with 2 for it alone."
    ),
    writes="temporary folders and to new files in the repository, which is a copy of its own",
    command=f"bash -E -c {shlex.quote(_EXPLICIT)}",
)
"""For languages without an interpreter: the script writes, builds and runs a program."""
NODE = ScriptLanguage(
    "JavaScript",
    "node",
    ".js",
    ("javascript", "js", "node", "cjs"),
    ends="an uncaught exception or rejection gives 1 by itself",
)
RUBY = ScriptLanguage("Ruby", "ruby", ".rb", ("ruby", "rb"))
PHP = ScriptLanguage(
    "PHP",
    "php",
    ".php",
    ("php",),
    ends="an uncaught exception gives 255 by itself, which counts the same",
    opening="<?php\n",
)
