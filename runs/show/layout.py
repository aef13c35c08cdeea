"""Tables and texts of reports that lose nothing, however narrow the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.measure import Measurement
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table

from runs.words import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult

WIDEST = 100_000
"""Columns of a line that may be as long as it likes."""
RULE = 120
"""Columns of the longest rule."""
NARROWEST = 20
"""The least width of a folded column, unless its widest cell is narrower."""
_STYLES = {
    **dict.fromkeys(("diff --git ", "index ", "--- ", "+++ "), "bold"),
    "@@": "cyan",
    "+": "green",
    "-": "red",
}


class Sheet(Table):
    """A table whose names stay whole.

    Columns stay whole unless they fold. Those that fold get narrower, down to `NARROWEST`; if
    that is not enough, the table is wider than the screen, and the terminal wraps it.
    """

    def __init__(self, *names: str, gap: int = 2, style: str = "dim") -> None:
        super().__init__(box=None, padding=(0, gap, 0, 0), header_style=style)
        for name in names:
            self.column(name)

    def column(
        self, name: RenderableType, *, fold: bool = False, justify: JustifyMethod = "left"
    ) -> None:
        """Add a column; `fold`: its cells may be broken into several lines."""
        self.add_column(name, no_wrap=not fold, overflow="fold", justify=justify)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay it out, at least as wide as it needs."""
        wide = options.update(width=WIDEST)
        gap = self.padding[1]
        needed = 0
        for column in self.columns:
            cells = (column.header, *column.cells)
            widest = max(Measurement.get(console, wide, cell).maximum for cell in cells)
            needed += gap + (widest if column.no_wrap else min(widest, NARROWEST))
        yield from super().__rich_console__(
            console, options.update_width(max(options.max_width, needed))
        )


class Heading(Rule):
    """A line across the screen, with a title."""

    def __init__(self, title: str, style: str = "dim", *, left: bool = False) -> None:
        super().__init__(title, style=style, align="left" if left else "center")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it, not wider than `RULE`."""
        yield from super().__rich_console__(
            console, options.update_width(min(options.max_width, RULE))
        )


class Verbatim:
    """Code, a patch or a reply, line by line as it is.

    Nothing is cut, and only the terminal itself breaks lines, so that text copied from the
    screen is unchanged. Control characters are shown, tabs stay.
    """

    def __init__(
        self, text: str, style: str = "", by_line: Callable[[str], str] | None = None
    ) -> None:
        self._lines = visible(text).removesuffix("\n").split("\n") if text else []
        self._style = by_line or (lambda _: style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Its lines, whatever the width."""
        for line in self._lines:
            yield Segment(line, console.get_style(self._style(line)))
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Ask for no width: it takes what it needs."""
        return Measurement(1, 1)


def diff_text(diff: str) -> Verbatim:
    """A diff, in colours if the terminal has any."""
    return Verbatim(diff, by_line=_diff_style)


def _diff_style(line: str) -> str:
    return next((style for start, style in _STYLES.items() if line.startswith(start)), "")
