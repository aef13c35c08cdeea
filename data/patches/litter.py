"""Files that a patch should not include: scratch files and tests, by their path.

A grader runs its own tests, and a script that an agent wrote to reproduce a bug is
not part of the repair. The rules are one table; the first that fits a file counts.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.languages.test_files import only_tests
from data.patches.parts import parts_of

if TYPE_CHECKING:
    from data.patches.parts import Section


class LitterKind(enum.StrEnum):
    """What a file is."""

    SCRATCH = "scratch"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class LitterRule:
    """Which paths are of which kind."""

    kind: LitterKind
    what: str
    path: re.Pattern[str]
    new_only: bool = True
    """Whether it is only for new files, because a repository may track such a name."""


def _rule(kind: LitterKind, what: str, path: str, *, new_only: bool = True) -> LitterRule:
    return LitterRule(kind, what, re.compile(path), new_only)


RULES = (
    _rule(LitterKind.SCRATCH, "bytecode", r"(^|/)__pycache__/|\.py[co]$", new_only=False),
    _rule(LitterKind.SCRATCH, "compiled", r"\.(o|obj|class|gch)$|(^|/)a\.out$"),
    _rule(LitterKind.SCRATCH, "left by patch or a merge", r"\.(orig|rej)$"),
    _rule(
        LitterKind.SCRATCH, "an editor's back-up", r"(~|\.bak|\.sw[a-p])$|(^|/)(\.#[^/]*|#[^/]*#)$"
    ),
    _rule(LitterKind.SCRATCH, "made by the desktop", r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini)$"),
    _rule(
        LitterKind.SCRATCH,
        "made by a tool",
        r"(^|/)(\.(pytest|mypy|ruff|ipynb)_?(cache|checkpoints)|\.(tox|nox|hypothesis|idea|vscode)"
        r"|node_modules|htmlcov|[^/]*\.egg-info)/|(^|/)(\.coverage(\.[^/]*)?|nohup\.out)$"
        r"|(^|/)\.aider[^/]*",
    ),
    _rule(
        LitterKind.SCRATCH,
        "a build folder or an environment",
        r"^(build|dist|target|venv|\.venv|env|\.eggs|\.gradle|\.bundle)/|(^|/)site-packages/",
    ),
    _rule(
        LitterKind.SCRATCH,
        "a script that reproduces the bug",
        r"(^|/)((bug|issue)_?)?(reproduc\w*|repro|replicat\w*)([_-][\w-]*)?"
        r"\.(py|sh|[cm]?[jt]s|rb|php|go|java|rs|c|cc|cpp|md|txt)$",
    ),
    _rule(
        LitterKind.SCRATCH,
        "a script at the top",
        r"^(debug|verify|demo|scratch|tmp|temp|try|check|simple_test|final_test|run_test)"
        r"([_-][\w-]*)?\.(py|sh|js|ts|rb|php|txt|log)$"
        r"|^test_(script|fix|issue|bug|repro|reproduction|patch|solution|changes?|\d+)[\w-]*"
        r"\.(py|sh|[cm]?[jt]s|rb|php)$",
    ),
    _rule(LitterKind.SCRATCH, "a patch in the patch", r"^[^/]*\.(patch|diff)$"),
    _rule(LitterKind.TEST, "a test", only_tests(), new_only=False),
)


@dataclass(frozen=True, slots=True)
class Litter:
    """A file of a patch that a rule fits."""

    path: str
    rule: LitterRule


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A patch without its litter."""

    diff: str
    taken: tuple[Litter, ...] = ()

    @property
    def emptied(self) -> bool:
        """Whether nothing is left of it."""
        return bool(self.taken) and not self.diff


def litter_of(diff: str) -> list[Litter]:
    """List the scratch and test files that a diff in git form touches."""
    return [Litter(part.path, rule) for part in parts_of(diff).sections if (rule := _rule_of(part))]


def without_litter(diff: str, *, scratch: bool = True, tests: bool = False) -> Cleaned:
    """Take scratch files, and test files too if asked for, out of a diff in git form.

    The rest is unchanged, byte by byte. A file that moves is never taken out, because
    half of a move would lose the file.
    """
    unwanted = {LitterKind.SCRATCH: scratch, LitterKind.TEST: tests}
    taken: list[Litter] = []
    kept: list[str] = []
    for part in parts_of(diff).sections:
        rule = _rule_of(part)
        if rule and unwanted[rule.kind] and part.value("rename from ") is None:
            taken.append(Litter(part.path, rule))
        else:
            kept += part.lines
    if not taken:
        return Cleaned(diff)
    return Cleaned("\n".join([*kept, ""]), tuple(taken))


def _rule_of(part: Section) -> LitterRule | None:
    path = part.path
    fitting = (
        rule for rule in RULES if (part.created or not rule.new_only) and rule.path.search(path)
    )
    return next(fitting, None)
