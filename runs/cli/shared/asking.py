"""The part of `troop select` that lets selectors choose, and asks a model where one is needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from runs.cli.shared.flags import given_settings
from runs.cli.shared.notes import tell
from runs.run.signals import run_to_end
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from data.errors import TroopError
    from runs.compare.asking import Answers, Inquiry
    from runs.compare.reselect import Reselected
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord


def choose_anew(
    args: argparse.Namespace,
    reader: Reader,
    run: RunRecord,
    instances: Sequence[InstanceRecord],
    names: Sequence[str],
) -> tuple[list[Reselected], dict[str, TroopError]]:
    """What selectors choose, and by instance the errors where no model could be asked.

    Raises:
        TroopError: the server or the engine cannot be used; what was answered is stored.
    """
    from runs.compare.asking import Inquiry, stored_config
    from runs.compare.reselect import make_selectors, reselect
    from runs.run.session import require_model

    config = stored_config(run, args.config, given_settings(args), tell)
    selectors = make_selectors(names, config, seed=args.seed)
    found = run_to_end(reselect(reader, instances, selectors, config.limits))
    unanswered = {
        instance: one.open for instance, one in zip(instances, found, strict=True) if one.open
    }
    if not unanswered:
        return found, {}
    require_model(config)
    inquiry = Inquiry(
        database_url(args.db),
        run,
        config,
        selectors,
        unanswered,
        take_over=args.take_over,
        dataset=args.dataset or "",
        split=args.split,
    )
    answers = _ask(inquiry, reader)
    answered = [
        one.answered(answers.rankings) for one in found if one.instance_id not in answers.errors
    ]
    return answered, answers.errors


def _ask(inquiry: Inquiry, reader: Reader) -> Answers:
    from agent.slots import Interrupted
    from runs.cli.shared.terminal import progress
    from runs.compare.asking import inquire
    from runs.show.live import LiveDisplay

    try:
        return run_to_end(inquire(inquiry, reader, LiveDisplay(progress())))
    except (Interrupted, asyncio.CancelledError):
        raise KeyboardInterrupt from None
