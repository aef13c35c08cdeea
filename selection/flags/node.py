"""Rules for JavaScript and TypeScript."""

from __future__ import annotations

from selection.flags.flag import FlagKind
from selection.flags.line_rule import LineRule

SUFFIXES = frozenset({".js", ".jsx", ".cjs", ".mjs", ".ts", ".tsx", ".cts", ".mts"})
_OWN = "(?:assert|console|globalThis|global|expect|process)"
RULES = (
    LineRule(
        FlagKind.EXIT,
        r"\bprocess\.(?:reallyExit|abort|kill|binding)\b",
        r"^\s*process\.exit\(|\bDeno\.exit\(",
    ),
    LineRule(
        FlagKind.AT_EXIT,
        r"\bprocess\.(?:on|once|prependListener)\(\s*['\"`]"
        r"(?:exit|beforeExit|uncaughtException|unhandledRejection)",
    ),
    LineRule(
        FlagKind.PATCH,
        r"\bprocess\.exit(?:Code)?\s*=(?!=)|\bObject\.is\s*=(?!=)",
        r"\brequire\.cache\b|\bModule\._(?:load|resolve)|\brequire\([^)]*\)(?:\.\w+)+\s*=(?!=)",
        r"\b(?:assert|console|globalThis|global|expect)\.\w+\s*=(?!=)",
        rf"\bObject\.(?:assign|definePropert\w+)\(\s*{_OWN}\b|\bNODE_OPTIONS\b",
    ),
    LineRule(
        FlagKind.READS_CALLER,
        r"/troop\b|/proc/self|\brequire\.main\.filename|\bprocess\.argv\[1\]",
    ),
    LineRule(
        FlagKind.TELLS_TESTS,
        r"\bJEST_WORKER_ID\b|\bVITEST\b|NODE_ENV\s*===?\s*['\"]test",
        r"typeof (?:jest|describe|it)\b",
    ),
)
