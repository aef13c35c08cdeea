"""A model that repairs a tiny repository by rote: for `ModelServer`, in a test or as a process.

Its answers depend on the conversation alone, so a run that is killed and
resumed can be held against one that was not. Four samples come to: the right
patch; a wrong one that passes the weaker tests; the right one again, written
otherwise; and one that never gets an edit applied and runs out of turns.
"""

from __future__ import annotations

import re

ISSUE = """mean([]) raises ZeroDivisionError

It should give 0.0, and so should median([])."""

FILES = {
    "calc/__init__.py": '"""Small statistics."""\n\nfrom calc.ops import mean, median\n',
    "calc/ops.py": (
        "def mean(values):\n"
        "    return sum(values) / len(values)\n"
        "\n\n"
        "def median(values):\n"
        "    ordered = sorted(values)\n"
        "    return ordered[len(ordered) // 2]\n"
    ),
    "calc/text.py": "def shown(value):\n    return f'{value:.2f}'\n",
    "tests/test_ops.py": "from calc import mean\n\nassert mean([1, 3]) == 2\n",
    "README.md": "calc\n",
}

WEAK = """import sys
from calc import mean
# variant {variant}
try:
    got = mean([])
except ZeroDivisionError as error:
    print("mean([]) raises", error)
    sys.exit(2)
print("mean([]) gives", got)
sys.exit(0 if got == 0 else 2)
"""

STRONG = """import sys
from calc import mean, median
# variant {variant}
wrong = 0
for function in (mean, median):
    try:
        got = function([])
    except (ZeroDivisionError, IndexError) as error:
        got = repr(error)
    print(function.__name__, got)
    wrong += got != 0
sys.exit(2 if wrong else 0)
"""

PASSES_BEFORE = "# variant {variant}\nprint('looks fine')\n"

RIGHT = """<edit path="calc/ops.py">
<<<<<<< SEARCH
    return sum(values) / len(values)
=======
    return sum(values) / len(values) if values else 0.0
>>>>>>> REPLACE
<<<<<<< SEARCH
    return ordered[len(ordered) // 2]
=======
    return ordered[len(ordered) // 2] if ordered else 0.0{comment}
>>>>>>> REPLACE
</edit>"""

WRONG = """<edit path="calc/ops.py">
<<<<<<< SEARCH
    return sum(values) / len(values)
=======
    return sum(values) / (len(values) or 1)
>>>>>>> REPLACE
</edit>"""

MISMATCH = """<edit path="calc/ops.py">
<<<<<<< SEARCH
    return total(values) / count(values)
=======
    return 0.0
>>>>>>> REPLACE
</edit>"""


def script(text: str, variant: int) -> str:
    return f"<test_script>\n{text.format(variant=variant)}</test_script>"


FIRST_TESTS = [script(WEAK, 1), "I would rather talk about it.", script(WEAK, 3), script(STRONG, 4)]


def answer(body: dict) -> str | list[str]:
    messages = [message["content"] for message in body["messages"]]
    opening, last = messages[1], messages[-1]
    turn = len(messages) // 2 - 1
    if "# The file\n" in opening:
        return _relevance(opening)
    if "rank these files" in opening:
        return "<ranking>\ncalc/ops.py\ncalc/__init__.py\n</ranking>"
    if "# Your task: write a test script" in opening:
        return _testing(body, messages, turn, last)
    if "# Your task: fix the issue" in opening:
        return _editing(messages, turn, last)
    if "Nothing was run: choose from what you read" in opening:
        return f"I read them.\n\n<choose>{_right_letter(opening)}</choose>"
    return _selection(turn, opening)


def label(body: dict) -> str:
    """What the log calls a request: its conversation so far."""
    return repr([message["content"] for message in body["messages"]])


def _relevance(opening: str) -> str:
    path = re.findall(r'<file path="(.*?)">', opening)[-1]
    if path == "calc/text.py":
        return "<relevant>no</relevant><summary></summary>"
    return f"<relevant>yes</relevant>\n<summary>About {path}.</summary>"


def _testing(body: dict, messages: list[str], turn: int, last: str) -> str | list[str]:
    if turn == 0:
        return FIRST_TESTS[: body.get("n") or 1]
    if "could not be used" in last:
        return script(PASSES_BEFORE, 2)
    if "It should end with exit code 2 here" in last:
        return script(STRONG, 2)
    return "It fails as it should.\n\n<done/>"


def _editing(messages: list[str], turn: int, last: str) -> str:
    variant = int((re.findall(r"# variant (\d)", messages[1]) or ["1"])[-1])
    if variant == 4:
        return MISMATCH
    if turn:
        return "<done/>"
    if variant == 3:
        return WRONG
    return RIGHT.format(comment="" if variant == 1 else "  # an empty list")


def _selection(turn: int, opening: str) -> str:
    if turn == 0:
        return script(STRONG, 9)
    return f"<choose>{_right_letter(opening)}</choose>"


def _right_letter(opening: str) -> str:
    diffs = re.findall(r"## Candidate (\w)\n.*?```diff\n(.*?)```", opening, re.DOTALL)
    return next((letter for letter, diff in diffs if "if ordered else" in diff), "A")
