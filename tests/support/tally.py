"""A tiny repository with a bug, and a model that repairs it by rote: what the goldens are made of.

Answers depend on the conversation alone. Four samples come to: the right patch, by way of a better
test; a patch that passes all tests and breaks the repository's own; one that repairs half of the
issue, at the second try; and the right one again, with a comment. An issue that says "hopeless"
gets no edit that applies.

Scripts print nothing that depends on the version of Python, and `pytest.py` keeps pytest away, so
that prompts are the same everywhere; one of the repository's tests passes whatever is edited,
since the output of a file of which none does would be shown.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

ISSUE = """spread([]) raises ValueError

It should give 0, and so should middle([]).
"""
HOPELESS = f"{ISSUE}\nThis one is hopeless.\n"

STATS = """\
def spread(values):
    return max(values) - min(values)


def middle(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
"""
TESTS = """\
import unittest

from tally import middle, spread
from tally.text import shown


class StatsTest(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(spread([3, 1]), 2)

    def test_one(self):
        self.assertEqual(spread([4]), 0)

    def test_middle(self):
        self.assertEqual(middle([3, 1, 2]), 2)

    def test_shown(self):
        self.assertEqual(shown(1), "1.00")


if __name__ == "__main__":
    unittest.main()
"""
FILES = {
    "tally/__init__.py": '"""Small statistics."""\n\nfrom tally.stats import middle, spread\n',
    "tally/stats.py": STATS,
    "tally/text.py": "def shown(value):\n    return f'{value:.2f}'\n",
    "pytest.py": 'raise ImportError("unittest runs these tests")\n',
    "tests/__init__.py": '"""Tests."""\n',
    "tests/test_stats.py": TESTS,
    "check.sh": """\
# Runs one test file.
if python "$1" >log.txt 2>&1; then echo "$1 passes"; else echo "$1 fails"; exit 1; fi
""",
    "README.md": "tally\n",
}

_WEAK = """\
import sys
from tally import spread
# variant {variant}
try:
    got = spread([])
except ValueError:
    print("spread of nothing: ValueError")
    sys.exit({bad})
print("spread of nothing:", got)
sys.exit(0 if got == 0 else {bad})
"""
_STRONG = """\
import sys
from tally import middle, spread
# variant {variant}
wrong = 0
for function in (spread, middle):
    try:
        got = function([])
    except (ValueError, IndexError) as error:
        got = type(error).__name__
    print(function.__name__, "of nothing:", got)
    wrong += got != 0
sys.exit({bad} if wrong else 0)
"""
_PASSES_BEFORE = "# variant {variant}\nprint('looks fine')\n"
_BASH = """\
python - <<'END'
{text}END
code=$?
[ "$code" -eq 7 ] && exit 2
exit "$code"
"""

_EDIT = """<edit path="tally/stats.py">
<<<<<<< SEARCH
    return max(values) - min(values)
=======
    return {spread}
>>>>>>> REPLACE
{more}</edit>"""
_MORE = """<<<<<<< SEARCH
    return ordered[len(ordered) // 2]
=======
    return {middle}
>>>>>>> REPLACE
"""
_GUARDED = "max(values) - min(values) if values else 0"


def edit(spread: str, middle: str = "") -> str:
    """An edit that gives the functions new results."""
    return _EDIT.format(spread=spread, more=_MORE.format(middle=middle) if middle else "")


RIGHT = edit(_GUARDED, "ordered[len(ordered) // 2] if ordered else 0")
RIGHT_TOO = edit(_GUARDED, "ordered[len(ordered) // 2] if ordered else 0  # nothing")
BREAKS = edit("len(values) and max(values)", "max(ordered, default=0)")
HALF = edit("max(values, default=0) - min(values, default=0)")
MISMATCH = edit("0").replace("max(values)", "most(values)")
MARK = "if ordered else 0"
"""What the right patch has and no other."""

AGAINST = STATS.replace("max(values) - min(values)", _GUARDED)
"""`tally/stats.py` as other systems leave it: half repaired, and (below) whole."""
WHOLE = AGAINST.replace("// 2]", "// 2] if ordered else 0")


def lay_repository(folder: Path) -> Path:
    """The repository, committed, and its issue beside it: the same commit every time."""
    repository = folder / "tally"
    for path, text in FILES.items():
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "issue.md").write_text(ISSUE)
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2024-01-01T00:00:00Z")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.autocrlf=false"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(
            ["git", *identity, *words], cwd=repository, check=True, env=os.environ | own | dates
        )
    return repository


def answer(body: dict[str, Any]) -> str | list[str]:
    """What the model says."""
    messages = [message["content"] for message in body["messages"]]
    opening, last = messages[1], messages[-1]
    turn = len(messages) // 2 - 1
    if "# The file\n" in opening:
        return _relevance(opening)
    if "rank these files" in opening:
        return "<ranking>\ntally/stats.py\ntally/__init__.py\n</ranking>"
    bash = "one complete Bash file" in opening
    if "# Your task: write a test script" in opening:
        return _testing(int(body.get("n") or 1), turn, last, bash=bash)
    if "# Your task: fix the issue" in opening:
        return _editing(opening, turn, hopeless="hopeless" in opening)
    if turn == 0 and "Nothing was run" not in opening:
        return _script(_STRONG, 9, bash=bash)
    return f"That one.\n\n<choose>{_right_letter(opening)}</choose>"


def _relevance(opening: str) -> str:
    path = re.findall(r'<file path="(.*?)">', opening)[-1]
    if path not in {"tally/stats.py", "tally/__init__.py"}:
        return "<relevant>no</relevant><summary></summary>"
    return f"<relevant>yes</relevant>\n<summary>About {path}.</summary>"


def _script(text: str, variant: int, *, bash: bool) -> str:
    made = text.format(variant=variant, bad=7 if bash else 2)
    return f"<test_script>\n{_BASH.format(text=made) if bash else made}</test_script>"


def _testing(count: int, turn: int, last: str, *, bash: bool) -> str | list[str]:
    if turn == 0:
        return [
            _script(_WEAK, 1, bash=bash),
            "I would rather talk about it.",
            _script(_WEAK, 3, bash=bash),
            _script(_STRONG, 4, bash=bash),
        ][:count]
    if "could not be used" in last:
        return _script(_PASSES_BEFORE, 2, bash=bash)
    if "It should end with exit code 2 here" in last:
        return _script(_STRONG, 2, bash=bash)
    return "It fails as it should.\n\n<done/>"


def _editing(opening: str, turn: int, *, hopeless: bool) -> str:
    if hopeless:
        return MISMATCH
    variant = int(re.findall(r"# variant (\d)", opening)[-1])
    bash = "python - <<'END'" in opening
    replies = {
        1: (RIGHT, _script(_STRONG, 1, bash=bash)),
        2: (BREAKS,),
        3: (MISMATCH, HALF),
        4: (RIGHT_TOO,),
    }[variant]
    return replies[turn] if turn < len(replies) else "<done/>"


def _right_letter(opening: str) -> str:
    diffs = re.findall(r"## Candidate (\w)\n.*?```diff\n(.*?)```", opening, re.DOTALL)
    return next((letter for letter, diff in diffs if MARK in diff), "A")
