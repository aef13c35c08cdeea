"""The strategy "codemonkeys": a test, then an edit that makes it pass (arXiv 2501.14723, 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.editing import WriteEdit, editing_talk
from agent.outcome import Outcome
from agent.strategies.protocol import Sample
from agent.testing import TestWriters
from agent.trajectory import converse
from data.patches.patch import UNEDITED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agent.context import Context
    from agent.settings import ModelSettings, SampleSettings
    from agent.workbench import Workbench

_CUT_SHORT = {Outcome.CONTEXT_EXCEEDED, Outcome.REJECTED, Outcome.FAILED}


class CodeMonkeys:
    """Each sample writes a test and revises it, then an edit, and revises both."""

    asks = True

    def __init__(self, model: ModelSettings, settings: SampleSettings) -> None:
        self._model = model
        self._settings = settings

    def samples(
        self, bench: Workbench, context: Context, numbers: Sequence[int]
    ) -> AsyncGenerator[Sample]:
        """See `Strategy`."""
        model, settings = self._model, self._settings
        writers = TestWriters(bench, context, numbers, model=model, settings=settings)

        async def one(number: int) -> Sample:
            test, outcome = await writers.write(number)
            if outcome in _CUT_SHORT and test.script is None:
                return Sample(number, outcome, None, UNEDITED)
            edit = WriteEdit(bench, test.script, test.before)
            talk = editing_talk(bench, context, number, model=model, settings=settings)
            outcome = await converse(talk, edit, turns=settings.editing_turns)
            return Sample(number, outcome, edit.script, edit.patch)

        return writers.each(one)
