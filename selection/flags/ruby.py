"""Rules for Ruby."""

from __future__ import annotations

from selection.flags.flag import FlagKind
from selection.flags.line_rule import LineRule

SUFFIXES = frozenset({".rb", ".rake", ".gemspec", ".ru"})
RULES = (
    LineRule(
        FlagKind.EXIT,
        r"\bexit!|\b(?:Kernel|Process)\.(?:exit|abort|kill)\b|^(?:exit|abort|exec)\b",
    ),
    LineRule(FlagKind.AT_EXIT, r"\bat_exit\b|^END\s*\{|\bObjectSpace\.define_finalizer\b"),
    LineRule(
        FlagKind.PATCH,
        r"\b(?:module|class)\s+(?:Minitest|RSpec|Kernel|Object|BasicObject|Process)\b",
        r"\b(?:Minitest|RSpec|Kernel)\b[\w:]*\.(?:class_eval|prepend|define_method|send)\b",
        r"\$LOADED_FEATURES|\$LOAD_PATH|\$:\s*(?:<<|\.)|\bRUBYOPT\b",
    ),
    LineRule(
        FlagKind.READS_CALLER,
        r"/troop\b|/proc/self|\$0\b|\$PROGRAM_NAME|\bcaller(?:_locations)?\b",
    ),
    LineRule(FlagKind.TELLS_TESTS, r"\bdefined\?\(\s*(?:Minitest|RSpec)\b"),
    LineRule(FlagKind.EQUAL, r"def ==\s*\(?\w+\)?\s*(?:=|;)?\s*true\b"),
)
