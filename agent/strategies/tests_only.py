"""The strategy "tests-only": tests for candidates that come from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.strategies.protocol import Sample
from agent.testing import TestWriters
from data.patches.patch import UNEDITED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agent.context import Context
    from agent.settings import ModelSettings, SampleSettings
    from agent.workbench import Workbench


class OnlyTests:
    """Each sample writes a test and revises it."""

    asks = True

    def __init__(self, model: ModelSettings, settings: SampleSettings) -> None:
        self._model = model
        self._settings = settings

    def samples(
        self, bench: Workbench, context: Context, numbers: Sequence[int]
    ) -> AsyncGenerator[Sample]:
        """See `Strategy`."""
        writers = TestWriters(bench, context, numbers, model=self._model, settings=self._settings)

        async def one(number: int) -> Sample:
            test, outcome = await writers.write(number)
            return Sample(number, outcome, test.script, UNEDITED)

        return writers.each(one)
