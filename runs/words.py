"""How figures and endings are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

if TYPE_CHECKING:
    from runs.store.reading import Row

REASONS = {
    "only_candidate": "it is the only candidate",
    "vote": "it leads the vote",
    "selection": "the selection trajectory chose it",
    "fallback": "it leads the vote (the selection trajectory gave no usable answer)",
}


def usd(amount: float | None) -> str:
    """Dollars, or "unknown"."""
    if amount is None:
        return "unknown"
    return f"${amount:.4f}" if amount < 1 else f"${amount:,.2f}"


def tokens(count: int | None) -> str:
    """A count of tokens, or "?"."""
    return "?" if count is None else f"{count:,}"


def ending(row: Row) -> str:
    """For example "exit 2" or "timeout"."""
    return f"exit {row['exit_code']}" if row["ending"] == "exited" else str(row["ending"])


def plain(text: Any, style: str = "") -> Text:
    """`text` for a terminal: no markup is read in it, control characters are shown, not obeyed."""
    return Text(visible(str(text)), style=style)


def visible(text: str) -> str:
    """`text` with control characters other than line ends and tabs made visible."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
