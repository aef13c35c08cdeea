"""What calls cost. An unknown price is shown as unknown; it is never an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.bounds import STRICT, Amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.model import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    prompt: Amount
    """For tokens of the prompt."""
    completion: Amount
    """For tokens that the model writes."""
    cached: Amount | None = None
    """For tokens of the prompt that the server had in its cache. Unset: the same as `prompt`."""

    def cost(self, usage: Usage) -> float:
        """US dollars of one call."""
        cached = _cached(usage)
        cached_price = self.prompt if self.cached is None else self.cached
        return (
            (usage.prompt_tokens - cached) * self.prompt
            + cached * cached_price
            + usage.completion_tokens * self.completion
        ) / 1e6


class Prices:
    """Prices by model name: a person's own prices, otherwise the list prices of genai-prices.

    The list prices come with the library; nothing is downloaded.
    """

    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._own = dict(own or {})

    def cost(self, model: str, usage: Usage | None) -> float | None:
        """US dollars of one call; None where the price or the usage is unknown."""
        if usage is None:
            return None
        own = self._own.get(model)
        return _listed(model, usage) if own is None else own.cost(usage)


def _listed(model: str, usage: Usage) -> float | None:
    """The cost by today's list price; None: there is none."""
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    try:
        tokens = Tokens(
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=_cached(usage),
            output_tokens=usage.completion_tokens,
        )
        return float(calc_price(tokens, model).total_price)
    except (LookupError, ValueError):
        return None


def _cached(usage: Usage) -> int:
    """The cached tokens, at most all: some servers count more than there are."""
    return min(usage.cached_tokens, usage.prompt_tokens)
