"""The strategy "none": all candidates and tests come from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agent.context import Context
    from agent.settings import ModelSettings, SampleSettings
    from agent.strategies.protocol import Sample
    from agent.workbench import Workbench


_NOTHING: tuple[Sample, ...] = ()


class NoSamples:
    """Makes no samples."""

    asks = False

    def __init__(self, model: ModelSettings, settings: SampleSettings) -> None:
        """Take the same arguments as every strategy."""

    async def samples(
        self, bench: Workbench, context: Context, numbers: Sequence[int]
    ) -> AsyncGenerator[Sample]:
        """See `Strategy`."""
        for sample in _NOTHING:
            yield sample
