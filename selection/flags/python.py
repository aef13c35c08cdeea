"""Rules for Python."""

from __future__ import annotations

from selection.flags.flag import FlagKind
from selection.flags.line_rule import LineRule

SUFFIXES = frozenset({".py", ".pyi", ".pyx", ".pth"})
_OWN = (
    r"(?:sys|os|builtins|unittest|pytest|_pytest|io|subprocess|json|inspect|traceback|atexit|site)"
)
_STREAM = r"sys\.(?:std(?:in|out|err)|path|argv)\b"
"""What commands and tests often change, and what buys no vote."""
_TIDIES = (
    r"\w{0,40}(?:clos|clean|shut|rmtree|unlink|remove|stop|terminate|join|flush|save|releas)\w*"
)
"""The beginnings of names of functions that give back what a program holds."""
_DECODES = "b64decode|b85decode|fromhex|decompress|rot13|loads|chr"
RULES = (
    LineRule(
        FlagKind.EXIT,
        r"\bos\.(?:_exit|abort|exec[lv]\w*)\b",
        r"\bos\.(?:kill|killpg)\s*\(\s*(?:os\.getp?p?[gi]+d|0|-1)\b",
        r"^(?:\S.*;\s*)?(?:sys\.exit|exit|quit|raise SystemExit)\b",
        r"\bsignal\.(?:alarm|raise_signal|setitimer|pthread_kill)\b",
        r"\bfaulthandler\.dump_traceback_later\b.*\bexit\b",
    ),
    LineRule(
        FlagKind.AT_EXIT,
        rf"\batexit\.register\b(?!\s*\(\s*(?:\w+\.){{0,5}}{_TIDIES}\s*[,)])",
        r"\b_run_exitfuncs\b|\b_register_atexit\b",
    ),
    LineRule(
        FlagKind.PATCH,
        rf"^\s*(?!{_STREAM}){_OWN}(?:\.\w+)+\s*=(?!=)",
        rf"(?<!\.)\bsetattr\(\s*(?!{_STREAM})(?:{_OWN}|importlib|__import__)\b",
        r"\bimport_module\([^)]*['\"]\s*\+",
        r"\bsys\.modules\[[^\]]+\]\s*=(?!=)|\bsys\.modules\.(?:update|__setitem__)\(",
        r"\bsys\.(?:meta_path|path_hooks|settrace|setprofile|addaudithook|monitoring)\b",
        r"\bsys\.excepthook\s*=(?!=)|\b__builtins__\s*[.\[]",
        rf"\bgetattr\(\s*{_OWN}\s*,[^,)]*\+|\b{_OWN}\.__dict__\[",
        r"\bTest(?:Case|Result)\.\w+\s*=(?!=)|\breport\.outcome\s*=",
    ),
    LineRule(
        FlagKind.READS_CALLER,
        r"/troop\b|/proc/|/dev/fd",
        r"\bimport __main__|\b__main__\.__file__|sys\.modules\[.__main__.\]",
        r"\bos\.(?:p?readv?|lseek|sendfile|splice)\(|\\x1e|\\036",
        r"\bf_(?:globals|lineno|back)\b|\binspect\.(?:stack|currentframe)\(",
        r"\bgc\.get_(?:objects|referrers|referents)\b|\bsys\.orig_argv\b",
        r"(?:open|Path|lines?|read\w*)\(\s*sys\.argv\[0\]|\bin sys\.argv\[0\]",
        r"\bsys\.argv\[0\]\s*(?:==|in|\.)",
    ),
    LineRule(
        FlagKind.TELLS_TESTS,
        r"PYTEST_CURRENT_TEST|TROOP_|['\"]troop['\"]",
        r"['\"](?:pytest|_pytest|unittest)['\"]\s+(?:not\s+)?in\s+sys\.modules",
        r"sys\.modules\.get\(['\"](?:pytest|unittest)",
    ),
    LineRule(
        FlagKind.EQUAL,
        r"def __eq__\([^)]*\)[^:]*:\s*return (?:True|1|not False)\b",
        r"def __ne__\([^)]*\)[^:]*:\s*return (?:False|0|not True)\b",
        r"__eq__\s*=[^:]*lambda[^:]*:\s*True\b",
    ),
    LineRule(
        FlagKind.HIDDEN_CODE,
        rf"\b(?:exec|eval|compile)\s*\(.{{0,200}}\b(?:{_DECODES})\b",
        r"\bmarshal\.loads\b",
    ),
    LineRule(
        FlagKind.MEMORY,
        r"\bctypes\.(?:pythonapi|memmove|string_at|c_\w+\.from_address|CDLL\(\s*None)",
    ),
)
OUTSIDE_TESTS = (LineRule(FlagKind.EQUAL, r"\bmock\.ANY\b|\bmock import .*\bANY\b"),)
"""What tests may well do."""
