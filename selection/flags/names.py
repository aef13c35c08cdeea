"""Other spellings of what the rules look for: imported names, and names in texts."""

from __future__ import annotations

import re
import unicodedata

_MOST = 200
"""How many names of a file are kept."""
_WATCHED = (
    r"(?:os|posix|sys|atexit|signal|gc|ctypes|inspect|builtins|importlib|faulthandler|marshal"
    r"|pytest|unittest(?:\.\w+)?|_pytest(?:\.\w+)*)"
)
_FROM = re.compile(rf"\bfrom\s+({_WATCHED})\s+import\s+([^#;]+)")
_IMPORT = re.compile(r"\bimport\s+([^#;]+)")
_TAKEN_FROM = re.compile(
    r"\{([^{}=]+)\}\s*=\s*(?:require\(\s*['\"`](?:node:)?)?(process|assert)(?:['\"`]\s*\))?"
)
_AS = re.compile(r"\s+as\s+|\s*:\s*")
_NAME = re.compile(r"(?<![\w.$'\"])[A-Za-z_$][\w$]*(?!['\"])")
_SPELLINGS = (
    (re.compile(r"\s*\\?\n\s*"), " "),
    (re.compile(r"(?<=[\w)\]])\s*\.\s*(?=[A-Za-z_])"), "."),
    (re.compile(r"\b__import__\(\s*['\"](\w+)['\"]\s*\)"), r"\1"),
    (re.compile(r"\b(?:importlib\.)?import_module\(\s*['\"]([\w.]{1,80})['\"]\s*\)"), r"\1"),
    (re.compile(r"\bgetattr\(\s*([\w.]{1,80})\s*,\s*['\"](\w+)['\"]\s*\)"), r"\1.\2"),
    (re.compile(r"\bvars\(\s*([\w.]{1,80})\s*\)\["), r"\1.__dict__["),
    (re.compile(r"\b([\w.]{1,80})\.__dict__\[\s*['\"](\w+)['\"]\s*\]"), r"\1.\2"),
    (re.compile(r"\brequire\(\s*['\"`](?:node:)?(process|assert)['\"`]\s*\)"), r"\1"),
    (re.compile(r"\b(?:globalThis|global)\.process\b"), "process"),
    (re.compile(r"\b(process|assert)\[\s*['\"`](\w+)['\"`]\s*\]"), r"\1.\2"),
    (re.compile(r"\bposix\."), "os."),
)
"""Other spellings of one thing, and the one that the rules know."""


class Names:
    """What the names of one file stand for, as its lines say."""

    def __init__(self) -> None:
        self._whole: dict[str, str] = {}

    def in_full(self, text: str) -> str:
        """A line as the rules know it; names that it imports count from then on."""
        text = unicodedata.normalize("NFKC", text)
        for shape, instead in _SPELLINGS:
            text = shape.sub(instead, text)
        imports = self._learn(text)
        if imports or not self._whole:
            return text
        return _NAME.sub(lambda name: self._whole.get(name[0], name[0]), text)

    def _learn(self, text: str) -> bool:
        if (found := _FROM.search(text)) is not None:
            self._take(f"{found[1]}.", found[2])
        elif (found := _IMPORT.search(text)) is not None:
            self._take("", found[1])
        elif (found := _TAKEN_FROM.search(text)) is not None:
            self._take(f"{found[2]}.", found[1])
        return found is not None

    def _take(self, module: str, names: str) -> None:
        for part in names.strip(" ()\\").split(","):
            words = _AS.split(part.strip(" ()"))
            whole, name = module + words[0], words[-1]
            known = module or re.fullmatch(_WATCHED, whole)
            if known and name.isidentifier() and name != whole and len(self._whole) < _MOST:
                self._whole[name] = whole
