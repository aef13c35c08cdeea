"""Files that are loaded without being asked for, and settings of test tools."""

from __future__ import annotations

import re
import sys

_HOOKS = re.compile(
    r"(?:^|/)(?:sitecustomize|usercustomize)(?:\.\w[\w.-]*|/__init__\.\w+)$"
    r"|(?:^|/)conftest\.py$|\.pth$|(?:^|/)(?:\.rspec|\.mocharc\.\w+|\.npmrc"
    r"|(?:jest|vitest|vite|babel)\.config\.\w+|GNUmakefile|\.cargo/config(?:\.toml)?)$"
)
_MAKE = re.compile(r"(?:^|/)(?:[Mm]akefile|Rakefile|[\w.-]+\.mk)$")
_OF_MAKE = re.compile(
    r"^(?:test|check|spec)[\w-]*\s*::?|^\s*task\s+:?(?:test|spec)|^\s+[-@]*(?:true|exit|:)(?:\s|$)"
    r"|^(?:[^\t#]*:\s*)?(?:SHELL|MAKEFLAGS|\.SHELLFLAGS|\.IGNORE)\b"
)
_SETTINGS = re.compile(r"(?:^|/)(?:setup\.cfg|pytest\.ini|tox\.ini|pyproject\.toml|package\.json)$")
_OF_TESTS = re.compile(
    r"\baddopts\b|\bpytest_plugins\b|\bpytest11\b|\[tool[:.]pytest|-p\s+\w|\bsetupFiles"
    r"|\"(?:pre|post)?test\"\s*:|\bconftest\b"
)
_MODULE = re.compile(r"(?:src/)?([A-Za-z_]\w*)(?:/__init__)?(?:\.[\w-]+)*\.(?:pyc?|so|pyd)")
_NAMES_OF_PROJECTS = {"test", "this", "antigravity", "idlelib", "lib2to3", "tkinter", "turtledemo"}
"""Modules of the standard library whose names repositories use."""
_TOOLS = {"pytest", "unittest", "_pytest", "pluggy", "nose", "hypothesis", "mock", "django"}
_HIDDEN = (sys.stdlib_module_names | _TOOLS) - _NAMES_OF_PROJECTS


def is_hook(path: str) -> bool:
    """Whether the language or a test tool loads a file of this name by itself."""
    return _HOOKS.search(path) is not None


def hides(path: str) -> bool:
    """Whether a new Python file stands before one of the standard library or a test tool."""
    found = _MODULE.fullmatch(path)
    return found is not None and found[1] in _HIDDEN


def changes_tests(path: str, text: str) -> bool:
    """Whether a line of settings or of a Makefile says how tests are run."""
    settings = _SETTINGS.search(path) and _OF_TESTS.search(text)
    return bool(settings or (_MAKE.search(path) and _OF_MAKE.search(text)))
