"""What a patch adds that could buy votes: ways to end a process, to patch test tools, to lie.

A script's end is proven (`sandbox.starting`), but code that runs in the script's process can
still change what it sees. So the lines that a patch adds are looked at. A flagged candidate has
no votes until the selection trajectory, which is shown the lines, chooses it.
"""

from __future__ import annotations

import enum
import functools
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sandbox.starting.starting import hidden_by_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_LINE = 2000
_MOST = 20
"""How many flags of a patch are kept."""


class FlagKind(enum.StrEnum):
    """What an added line or file does, in words that follow its place."""

    EXIT = "ends the process without the caller"
    AT_EXIT = "runs code when the process ends"
    HOOK = "is loaded whenever the language or the test tool starts"
    SHADOW = "hides a module of the standard library or a test tool"
    PATCH = "changes the language's or the test tool's own functions"
    READS_CALLER = "looks at the script that runs it"
    TELLS_TESTS = "behaves in another way under tests"
    EQUAL = "is equal to everything"
    HIDDEN_CODE = "runs code that is not in plain text"
    MEMORY = "reaches into the memory of the process"


@dataclass(frozen=True, slots=True)
class Flag:
    """One place in a patch that could buy votes."""

    kind: FlagKind
    path: str
    line: int
    """The line's number after the patch; 0: the whole file."""
    text: str = ""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place} {self.kind.value}" + (f": {self.text}" if self.text else "")


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: FlagKind
    suffixes: frozenset[str]
    pattern: re.Pattern[str]


_PYTHON = frozenset({".py", ".pyi", ".pyx", ".pth"})
_SCRIPT = frozenset({".js", ".jsx", ".cjs", ".mjs", ".ts", ".tsx", ".cts", ".mts"})
_RUBY = frozenset({".rb", ".rake", ".gemspec", ".ru"})
_OWN = (
    r"(?:sys|os|builtins|unittest|pytest|_pytest|io|subprocess|json|inspect|traceback|atexit|site)"
)
_TOOLS = {"pytest", "unittest", "_pytest", "pluggy", "nose", "hypothesis", "mock", "django"}
_RULES = (
    _Rule(
        FlagKind.EXIT, _PYTHON, re.compile(r"\bos\.(?:_exit|abort|exec[lv]\w*|kill|killpg)\s*\(")
    ),
    _Rule(FlagKind.EXIT, _PYTHON, re.compile(r"^(?:sys\.exit|exit|quit|raise SystemExit)\b")),
    _Rule(FlagKind.EXIT, _PYTHON, re.compile(r"\bsignal\.(?:alarm|raise_signal|setitimer)\s*\(")),
    _Rule(FlagKind.AT_EXIT, _PYTHON, re.compile(r"\batexit\.register\b|\b_run_exitfuncs\b")),
    _Rule(
        FlagKind.PATCH,
        _PYTHON,
        re.compile(
            rf"^\s*{_OWN}(?:\.\w+)+\s*=(?!=)|\bsetattr\(\s*{_OWN}\b|\bsys\.modules\[[^\]]+\]\s*=(?!=)"
            r"|\bsys\.(?:meta_path|path_hooks|settrace|setprofile|excepthook\s*=)"
            r"|\bsetattr\(\s*(?:importlib|__import__)\b|\bimport_module\([^)]*['\"]\s*\+"
            r"|\b__builtins__\s*[.\[]|\bTest(?:Case|Result)\.\w+\s*=(?!=)|report\.outcome\s*="
        ),
    ),
    _Rule(
        FlagKind.READS_CALLER,
        _PYTHON,
        re.compile(
            r"/troop\b|/proc/|/dev/fd"
            r"|\bimport __main__|\b__main__\.__file__|sys\.modules\[.__main__.\]"
            r"|\bos\.(?:p?readv?|lseek|sendfile|splice)\(|\\x1e|\\036|\bf_(?:globals|lineno)\b"
            r"|(?:open|Path|lines?|read\w*)\(\s*sys\.argv\[0\]|\bin sys\.argv\[0\]"
            r"|\bgc\.get_(?:objects|referrers|referents)\b|\bf_back\b|\binspect\.(?:stack|currentframe)\("
            r"|\bsys\.argv\[0\]\s*(?:==|in|\.)"
        ),
    ),
    _Rule(
        FlagKind.TELLS_TESTS,
        _PYTHON,
        re.compile(
            r"PYTEST_CURRENT_TEST|['\"](?:pytest|_pytest|unittest)['\"]\s+(?:not\s+)?in\s+sys\.modules"
            r"|TROOP_|['\"]troop['\"]|sys\.modules\.get\(['\"](?:pytest|unittest)"
        ),
    ),
    _Rule(
        FlagKind.EQUAL,
        _PYTHON,
        re.compile(
            r"def __eq__\([^)]*\)[^:]*:\s*return True\b|__eq__\s*=[^:]*lambda[^:]*:\s*True\b"
            r"|\bmock\.ANY\b|\bmock import .*\bANY\b"
            r"|def __ne__\([^)]*\)[^:]*:\s*return False\b"
        ),
    ),
    _Rule(
        FlagKind.HIDDEN_CODE,
        _PYTHON,
        re.compile(
            r"\b(?:exec|eval|compile)\s*\(.*(?:b64decode|b85decode|fromhex|decompress|rot13|loads)"
            r"|\bmarshal\.loads\b"
        ),
    ),
    _Rule(
        FlagKind.MEMORY,
        _PYTHON,
        re.compile(r"\bctypes\.(?:pythonapi|memmove|string_at|c_\w+\.from_address)"),
    ),
    _Rule(
        FlagKind.EXIT,
        _SCRIPT,
        re.compile(
            r"\bprocess\.(?:reallyExit|abort|kill|binding)\b|^\s*process\.exit\(|\bDeno\.exit\("
        ),
    ),
    _Rule(
        FlagKind.AT_EXIT,
        _SCRIPT,
        re.compile(
            r"\bprocess\.(?:on|once|prependListener)\(\s*['\"`]"
            r"(?:exit|beforeExit|uncaughtException|unhandledRejection)"
        ),
    ),
    _Rule(
        FlagKind.PATCH,
        _SCRIPT,
        re.compile(
            r"\bprocess\.exit(?:Code)?\s*=(?!=)|\brequire\.cache\b|\bModule\._(?:load|resolve)"
            r"|\brequire\([^)]*\)(?:\.\w+)+\s*=(?!=)"
            r"|\b(?:assert|console|globalThis|global|expect)\.\w+\s*=(?!=)|\bObject\.is\s*=(?!=)"
        ),
    ),
    _Rule(
        FlagKind.READS_CALLER,
        _SCRIPT,
        re.compile(r"/troop\b|/proc/self|\brequire\.main\.filename|\bprocess\.argv\[1\]"),
    ),
    _Rule(
        FlagKind.TELLS_TESTS,
        _SCRIPT,
        re.compile(
            r"\bJEST_WORKER_ID\b|\bVITEST\b|NODE_ENV\s*===?\s*['\"]test"
            r"|typeof (?:jest|describe|it)\b"
        ),
    ),
    _Rule(
        FlagKind.EXIT,
        _RUBY,
        re.compile(r"\bexit!|\b(?:Kernel|Process)\.(?:exit|abort|kill)\b|^(?:exit|abort|exec)\b"),
    ),
    _Rule(FlagKind.AT_EXIT, _RUBY, re.compile(r"\bat_exit\b|\bObjectSpace\.define_finalizer\b")),
    _Rule(
        FlagKind.PATCH,
        _RUBY,
        re.compile(
            r"\b(?:module|class)\s+(?:Minitest|RSpec|Kernel|Object|BasicObject|Process)\b"
            r"|\$LOADED_FEATURES|\$LOAD_PATH|\$:\s*(?:<<|\.)"
        ),
    ),
    _Rule(
        FlagKind.READS_CALLER,
        _RUBY,
        re.compile(r"/troop\b|/proc/self|\$0\b|\$PROGRAM_NAME|\bcaller(?:_locations)?\b"),
    ),
    _Rule(FlagKind.TELLS_TESTS, _RUBY, re.compile(r"\bdefined\?\(\s*(?:Minitest|RSpec)\b")),
    _Rule(FlagKind.EQUAL, _RUBY, re.compile(r"def ==\s*\(?\w+\)?\s*(?:=|;)?\s*true\b")),
)
_HOOKS = re.compile(
    r"(?:^|/)(?:sitecustomize|usercustomize|conftest)\.py$|\.pth$|(?:^|/)(?:\.rspec|\.mocharc\.\w+|\.npmrc"
    r"|(?:jest|vitest|vite|babel)\.config\.\w+|GNUmakefile|\.cargo/config(?:\.toml)?)$"
)
_MAKE = re.compile(r"(?:^|/)(?:[Mm]akefile|Rakefile|[\w.-]+\.mk)$")
_OF_MAKE = re.compile(
    r"^(?:test|check|spec)[\w-]*\s*::?|^\s*task\s+:?(?:test|spec)|^\s+[-@]*(?:true|exit|:)(?:\s|$)"
    r"|^(?:[^\t#]*:\s*)?(?:SHELL|MAKEFLAGS|\.SHELLFLAGS|\.IGNORE)\b"
)
_SETTINGS = re.compile(r"(?:^|/)(?:setup\.cfg|pytest\.ini|tox\.ini|pyproject\.toml|package\.json)$")
_OF_TESTS = re.compile(
    r"\baddopts\b|\bpytest_plugins\b|\[tool[:.]pytest|-p\s+\w|\bsetupFiles|\"(?:pre|post)?test\"\s*:|\bconftest\b"
)


def flags_of(diff: str) -> tuple[Flag, ...]:
    """What the lines that a diff adds could do to tests. Pure, and quick for any text.

    A flag says that somebody has to look, not that somebody cheats.
    """
    return _flags(diff)


@functools.lru_cache(maxsize=4096)
def _flags(diff: str) -> tuple[Flag, ...]:
    found: list[Flag] = []
    for flag in _all(diff):
        if flag not in found:
            found.append(flag)
        if len(found) == _MOST:
            break
    return tuple(found)


def _all(diff: str) -> Iterator[Flag]:
    for name in hidden_by_diff(diff, _TOOLS):
        yield Flag(FlagKind.SHADOW, f"{name}.py", 0)
    before = ""
    hooks: set[str] = set()
    for path, line, text in _added(diff):
        if (_HOOKS.search(path) and path not in hooks) or _changes_tests(path, text):
            yield Flag(FlagKind.HOOK, path, line, text.strip()[:200])
            hooks.add(path)
        suffix = PurePosixPath(path).suffix
        for rule in _RULES:
            seen = f"{before} {text.strip()}" if rule.kind is FlagKind.EQUAL else text
            if suffix in rule.suffixes and rule.pattern.search(seen):
                yield Flag(rule.kind, path, line, text.strip()[:200])
        before = text if "return" not in text else ""


def _changes_tests(path: str, text: str) -> bool:
    settings = _SETTINGS.search(path) and _OF_TESTS.search(text)
    return bool(settings or (_MAKE.search(path) and _OF_MAKE.search(text)))


def _added(diff: str) -> Iterator[tuple[str, int, str]]:
    """(path, line, text) of each line that a diff adds, as long as it is not too long."""
    path, number = "", 0
    for raw in diff.split("\n"):
        if raw.startswith("+++ "):
            path = raw[4:].strip().strip('"').removeprefix("b/")
        elif raw.startswith("@@"):
            at = re.match(r"@@ -\S+ \+(\d{1,9})", raw)
            number = int(at[1]) - 1 if at else 0
        elif raw.startswith("+"):
            number += 1
            if path and raw.strip("+ \t"):
                yield path, number, raw[1 : _LONGEST_LINE + 1]
        elif not raw.startswith(("-", "\\")):
            number += 1
