"""Signs that tests ran: what a runner prints at its end, and how many tests it counted.

A patch can print lines like those of a runner. It is caught if it ends the tests before their
end, if it reports more tests than the runner counted, or if the runner reports the same test
with another result. It is not caught if it also prints the runner's last line, because both
come from one process.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_PYTEST = re.compile(
    r"^=*\s*((?:\d+ [a-z]+(?:, )?)+|no tests ran)[^\n]* in [\d.:]+\s*s[^\n]*$", re.MULTILINE
)
_PASSED = re.compile(r"\b(\d+) x?passed\b")
_RAN = re.compile(r"^Ran (\d+) tests? in [\d.]+s$", re.MULTILINE)
_SYMPY = re.compile(r"tests finished: (\d+) passed")


def _pytest(output: str) -> list[int]:
    plain = _COLOUR.sub("", output)
    return [sum(map(int, _PASSED.findall(line[0]))) for line in _PYTEST.finditer(plain)]


def _unittest(output: str) -> list[int]:
    return [int(count) for count in _RAN.findall(output)]


def _sympy(output: str) -> list[int]:
    return [int(count) for count in _SYMPY.findall(output)]


_RUNNERS: tuple[tuple[re.Pattern[str], Callable[[str], list[int]]], ...] = (
    (re.compile(r"\bpy\.?test\b"), _pytest),
    (re.compile(r"\bruntests\.py\b|\bmanage\.py test\b|-m unittest\b"), _unittest),
    (re.compile(r"\bbin/test\b|\bsympy\.test\("), _sympy),
)
"""By what is in the test command."""


def why_unproven(command: str, output: str, passed: int) -> str:
    """Why the output does not show that the tests ran; "" if it does or the runner is not known.

    `command`: the lines that run the tests; `passed`: how many of the tests asked for the
    output reports as passed.
    """
    for pattern, counted in _RUNNERS:
        if pattern.search(command):
            counts = counted(output)
            if not counts:
                return "the test runner did not come to its end: it printed no summary"
            if passed > sum(counts):
                return (
                    f"{passed} tests are reported as passed, but the runner counted {sum(counts)}"
                )
            return ""
    return ""
