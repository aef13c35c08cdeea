"""What calls cost: own prices, list prices, none."""

import subprocess
import sys

import pytest

from agent.model import Usage
from agent.prices import Price, Prices

USAGE = Usage(prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=400_000)


def test_a_known_model_costs_its_list_price():
    """Of gpt-4.1: 2 dollars for a million tokens read, 0.50 of them cached, 8 written."""
    assert Prices().cost("gpt-4.1", USAGE) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.1 * 8)
    assert Prices().cost("gpt-4.1", Usage(1000, 0)) == pytest.approx(0.002)


def test_an_own_price_stands_above_the_list():
    prices = Prices({"gpt-4.1": Price(prompt=1, completion=10, cached=0.1), "mine": Price(1, 10)})
    assert prices.cost("gpt-4.1", USAGE) == pytest.approx(0.6 + 0.04 + 1)
    assert prices.cost("mine", USAGE) == pytest.approx(1 + 1)
    assert prices.cost("gpt-4.1-mini", USAGE) == Prices().cost("gpt-4.1-mini", USAGE)


def test_a_server_that_counts_more_cached_tokens_than_there_are_is_not_paid_back():
    more = Usage(prompt_tokens=1_000_000, completion_tokens=0, cached_tokens=2_000_000)
    assert Prices().cost("gpt-4.1", more) == pytest.approx(0.5)
    assert Prices({"m": Price(2, 8, 0.5)}).cost("m", more) == pytest.approx(0.5)


@pytest.mark.parametrize("model", ["", "nobody's-model", "recorded", "Qwen/Qwen3-Coder"])
def test_an_unknown_model_is_unknown(model):
    assert Prices().cost(model, USAGE) is None


def test_usage_that_is_unknown_or_nonsense_has_no_price():
    assert Prices({"m": Price(1, 1)}).cost("m", None) is None
    assert Prices().cost("gpt-4.1", Usage(-5, 1)) is None


@pytest.mark.slow
def test_list_prices_are_loaded_when_they_are_first_needed():
    code = (
        "import sys; from agent.prices import *; from agent.model import Usage;"
        "p = Prices({'m': Price(1, 1)}); p.cost('m', Usage(1, 1));"
        "assert 'genai_prices' not in sys.modules; p.cost('n', Usage(1, 1));"
        "assert 'genai_prices' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
