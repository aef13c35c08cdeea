"""What calls cost. An unknown price is shown as unknown; it is never an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from agent.settings import STRICT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.model import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    prompt: float
    completion: float
    cached: float | None = None
    """Of prompt tokens found in the server's cache; None: as `prompt`."""


KNOWN = {
    "gpt-4o": Price(2.50, 10.00, 1.25),
    "gpt-4o-mini": Price(0.15, 0.60, 0.075),
    "gpt-4.1": Price(2.00, 8.00, 0.50),
    "gpt-4.1-mini": Price(0.40, 1.60, 0.10),
    "gpt-4.1-nano": Price(0.10, 0.40, 0.025),
    "o4-mini": Price(1.10, 4.40, 0.275),
    "claude-3-5-sonnet-20241022": Price(3.00, 15.00, 0.30),
    "deepseek-chat": Price(0.27, 1.10, 0.07),
}
"""List prices of 2025, a starting point: `[prices."model name"]` in the configuration wins."""


class Prices:
    """Prices by model name."""

    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._prices = {**KNOWN, **(own or {})}

    def cost(self, model: str, usage: Usage | None) -> float | None:
        """US dollars of one call; None where the price or the usage is unknown."""
        price = self._prices.get(model)
        if price is None or usage is None:
            return None
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        cached_price = price.prompt if price.cached is None else price.cached
        return (
            (usage.prompt_tokens - cached) * price.prompt
            + cached * cached_price
            + usage.completion_tokens * price.completion
        ) / 1e6
