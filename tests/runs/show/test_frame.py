"""The live screen in a terminal that is resized: a real one would break long lines anew."""

import io

from rich.console import Console
from rich.text import Text

from runs.show.frame import Frame, ResizableLive


class Terminal:
    """As much of a terminal as rich uses here; narrowed, it breaks the lines that do not fit."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rows, self.row, self.column = [""], 0, 0

    def write(self, text: str) -> None:
        at = 0
        while at < len(text):
            if text.startswith("\x1b[", at):
                end = next(n for n in range(at + 2, len(text)) if text[n].isalpha())
                self._control(text[at + 2 : end], text[end])
                at = end + 1
            else:
                self._put(text[at])
                at += 1

    def resize(self, width: int) -> None:
        broken = [
            [row[start : start + width] for start in range(0, max(1, len(row)), width)]
            for row in self.rows
        ]
        self.row = sum(map(len, broken[: self.row + 1])) - 1
        self.rows = [piece for pieces in broken for piece in pieces]
        self.width, self.column = width, min(self.column, width)

    def _control(self, number: str, letter: str) -> None:
        if letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K":
            self.rows[self.row] = ""

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row, self.column = self.row + 1, 0
            self.rows += [""] * (self.row + 1 - len(self.rows))
        else:
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + character + row[self.column + 1 :]
            self.column += 1


def shown_after(*widths: int) -> list[str]:
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=True, color_system=None, width=widths[0], height=9
    )
    terminal = Terminal(widths[0], 9)
    lines = ["header " + "=" * 70, "row " + "-" * 50, "foot"]

    def draw(width: int, height: int) -> Text:
        return Text("\n".join(line[:width] for line in lines))

    live = ResizableLive(Frame(draw), console)
    live.auto_refresh = False
    live.start(refresh=True)
    for width in widths[1:]:
        terminal.write(output.getvalue())
        output.seek(0)
        output.truncate()
        terminal.resize(width)
        console.width = width
        live.refresh()
    live.stop()
    terminal.write(output.getvalue())
    return [row for row in terminal.rows if row.strip()]


def test_a_resize_leaves_no_stale_header():
    for widths in ((80, 30), (80, 20, 79), (80, 30, 10), (30, 80), (80, 1, 80), (80, 79, 78, 77)):
        shown = shown_after(*widths)
        assert sum("head" in row or row == "h" for row in shown) == 1, (widths, shown)
        assert len(shown) == 3, (widths, shown)
