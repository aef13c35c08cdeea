"""A drawing that is redrawn in a terminal, and leaves nothing behind when that is resized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import (
        Console,
        ConsoleOptions,
        ConsoleRenderable,
        RenderableType,
        RenderResult,
    )

REDRAWN_PER_S = 6


class Frame:
    """What `draw` gives for a width and a height, cut to that size."""

    def __init__(self, draw: Callable[[int, int], RenderableType]) -> None:
        self._draw = draw
        self._widths: list[int] = []
        """Widths of the lines drawn last."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.size.height
        lines = console.render_lines(self._draw(width, height), options, pad=False)[:height]
        self._widths = [Segment.get_line_length(line) for line in lines]
        for line in lines:
            yield from line
            yield Segment.line()

    def rows_more(self, width: int) -> int:
        """How many more rows than lines the last drawing takes in a terminal of this width."""
        return sum(max(0, -(-drawn // width) - 1) for drawn in self._widths)


class ResizableLive(Live):
    """Rich's `Live` clears as many rows as it drew lines. A narrower terminal has made more."""

    def __init__(self, frame: Frame, console: Console) -> None:
        super().__init__(frame, console=console, refresh_per_second=REDRAWN_PER_S)
        self._frame = frame
        self._width = console.size.width

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Clear the rows that a resize has added, then draw as usual."""
        width = max(1, self.console.size.width)
        more = self._frame.rows_more(width) if width < self._width else 0
        self._width = width
        up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
        rest = super().process_renderables(renderables)
        return [Control(ControlType.CARRIAGE_RETURN, *up * more), *rest] if more else rest
