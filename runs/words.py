"""How numbers, endings and names are written for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from data.paths import show_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from data.patches.litter import Litter
    from sandbox.protocol import Execution

_REASONS = {
    "only_candidate": "it is the only candidate",
    "vote": "it leads the vote",
    "selection": "the selection trajectory chose it",
    "fallback": "it leads the vote (the selection trajectory gave no usable answer)",
}
_OF_THE_JUDGE = {
    "selection": "a model chose it from the diffs",
    "fallback": "most wrote this patch (the model gave no usable answer)",
}
_ENDINGS = {"timeout": "time-out", "cut short": "ended by code of the repository"}
_EXIT_CODES = {0: "fixed", 2: "the issue is still there"}


def decided_by(reason: str, settings: Mapping[str, Any]) -> str:
    """Why a run chose a candidate; `reason` as it is stored, `settings` the run's."""
    selector = settings.get("selection.selector", "selection")
    if selector == "model" and reason in _OF_THE_JUDGE:
        return _OF_THE_JUDGE[reason]
    if reason == "vote" and selector not in {"selection", "model", settings.get("selection.votes")}:
        return f"the selector {selector} puts it first"
    return _REASONS.get(reason, reason)


def usd(amount: float | None) -> str:
    """Dollars, or "unknown"."""
    if amount is None:
        return "unknown"
    return f"${amount:.4f}" if amount < 1 else f"${amount:,.2f}"


def tokens(count: int | None) -> str:
    """A count of tokens, or "?"."""
    return "?" if count is None else f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun, for example "1 test" or "2 tests"."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def listed(items: Iterable[object]) -> str:
    """For example "1, 2 and 6"."""
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


def some(names: Sequence[str], shown: int = 3) -> str:
    """The first names, and how many more there are."""
    left = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {left} more" if left > 0 else "")


def ending(execution: Execution) -> str:
    """For example "exit 2" or "time-out"."""
    code, name = execution.exit_code, execution.ending.value.replace("_", " ")
    return _ENDINGS.get(name, name) if code is None else f"exit {code}"


def verdict_words(execution: Execution) -> str:
    """Also what it says about the issue, for example "exit 2, the issue is still there"."""
    code = -1 if execution.exit_code is None else execution.exit_code
    return f"{ending(execution)}, {_EXIT_CODES.get(code, 'no verdict')}"


def named(files: Iterable[Litter]) -> list[str]:
    """Files that a patch should not contain, each with what it is."""
    return [f"{show_path(file.path)} ({file.rule.what})" for file in files]


def plain(text: Any, style: str = "") -> Text:
    """`text` for a terminal: markup is not read, control characters are shown, not obeyed."""
    return Text(visible(str(text)), style=style)


def visible(text: str) -> str:
    """`text` with control characters other than line ends and tabs made visible."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
