r"""What a terminal would have shown of a script's output: carriage returns, backspaces, colours.

Stored outputs hold control characters as the sandbox escapes them: a carriage return is `\x0d`.
"""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    r"(?:\\x0d|\r)|(?P<back>\\x08|\x08)|(?:\\x1b|\x1b)\[(?P<rest>[0-9;?]*)(?P<what>[A-Za-z])"
)
_CLEAR, _TO_THE_END = "K", {"", "0"}


def as_shown(output: str) -> str:
    """`output`, each line as it was in the end: what was printed over is gone."""
    return "\n".join(_line(line) for line in output.split("\n"))


def _line(line: str) -> str:
    if not _CONTROLS.search(line):
        return line
    cells: list[str] = []
    column = at = 0
    for found in _CONTROLS.finditer(line):
        column = _print(cells, column, line[at : found.start()])
        at = found.end()
        if found["back"]:
            column = max(0, column - 1)
        elif found["what"] is None:
            column = 0
        elif found["what"] == _CLEAR:
            del cells[column if found["rest"] in _TO_THE_END else 0 :]
    _print(cells, column, line[at:])
    return "".join(cells).rstrip()


def _print(cells: list[str], column: int, text: str) -> int:
    """Print `text` from a column on, over what is there; the column after it."""
    cells += " " * (column - len(cells))
    cells[column : column + len(text)] = text
    return column + len(text)
