"""Strategies: ways to make samples, by name. To add one: docs/strategies.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.strategies.codemonkeys import CodeMonkeys
from agent.strategies.none import NoSamples
from agent.strategies.tests_only import OnlyTests

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import ModelSettings, SampleSettings
    from agent.strategies.protocol import Strategy

STRATEGIES: dict[str, Callable[[ModelSettings, SampleSettings], Strategy]] = {
    "codemonkeys": CodeMonkeys,
    "tests-only": OnlyTests,
    "none": NoSamples,
}
