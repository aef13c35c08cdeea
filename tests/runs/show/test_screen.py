"""Outputs as a terminal would have left them."""

import pytest

from runs.show.screen import as_shown
from sandbox.output import escape_controls


@pytest.mark.parametrize(
    ("printed", "left"),
    [
        ("plain\n  text", "plain\n  text"),
        (" 10%\r 50%\r100%\ndone", "100%\ndone"),
        ("reading files\rdone", "doneing files"),
        ("reading\r\x1b[Kdone", "done"),
        ("reading\x1b[2K\rdone", "done"),
        ("ab\x08\x08xy", "xy"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\r", ""),
        ("C:\\x0", "C:\\x0"),
    ],
)
def test_overwritten_output_is_not_shown(printed, left):
    assert as_shown(printed) == left
    assert as_shown(escape_controls(printed)) == left  # as the sandbox stores it
