"""What a command has spent so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.words import usd

if TYPE_CHECKING:
    from agent.model import Response


@dataclass(slots=True)
class Totals:
    """What was spent."""

    calls: int = 0
    recalled: int = 0
    replayed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    executions: int = 0
    recalled_executions: int = 0

    def add(self, response: Response, cost_usd: float | None) -> None:
        """Count a call, which cost so many US dollars (None: unknown)."""
        self.calls += 1
        self.replayed += response.replayed
        usage = response.usage
        if usage is not None:
            self.prompt_tokens += usage.prompt_tokens
            self.cached_tokens += usage.cached_tokens
            self.completion_tokens += usage.completion_tokens
        self.unpriced += cost_usd is None
        self.cost_usd += cost_usd or 0.0


def spent(totals: Totals) -> str:
    """For example "$0.0120 · 9 calls · 80,000 tokens · 12 executions"."""
    parts = [
        _cost(totals),
        f"{totals.calls} call{'' if totals.calls == 1 else 's'}"
        + (f", {totals.recalled} replies from the journal" if totals.recalled else ""),
        f"{totals.prompt_tokens + totals.completion_tokens:,} tokens",
    ]
    if totals.cached_tokens:
        parts.append(f"{totals.cached_tokens / totals.prompt_tokens:.0%} of the prompts cached")
    parts.append(f"{totals.executions} executions")
    return " · ".join(parts)


def _cost(totals: Totals) -> str:
    """What was spent, as far as it is known."""
    if totals.unpriced and not totals.cost_usd:
        return "cost unknown"
    unknown = f" + {totals.unpriced} calls of unknown price" if totals.unpriced else ""
    spent = usd(totals.cost_usd) + unknown
    return f"replayed, nothing spent ({spent} if it were live)" if totals.replayed else spent
