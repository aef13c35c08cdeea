"""Scripts started as sandboxes start them, where there is no sandbox."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sandbox.starting.starting import start_of, start_program

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.protocol import Script

WORD = "secret"


def started(script: Script, tools: Path, imports: str) -> list[str]:
    """The command that runs `script` from the folder `tools`; `imports`: its PYTHONPATH."""
    file = tools / f"script{script.suffix}"
    file.write_text(script.text)
    if start_of(script) != "start.py":
        return [script.interpreter, str(file)]
    (tools / "word").write_text(WORD)
    (tools / "start.py").write_bytes(start_program("start.py"))
    return [sys.executable, "-S", str(tools / "start.py"), str(file), imports, ""]


def without_word(output: str) -> str:
    """What the script printed itself."""
    before, mark, after = output.partition(f"\x1e{WORD} ")
    return before + (after.partition("\n")[2] if mark else "")
