"""The part of `troop select` that asks a model: what is recorded is read, the rest is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from runs.cli.shared.flags import given_settings
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from data.errors import TroopError
    from runs.compare.questions import Question
    from runs.run.config import Config
    from runs.store.reading import Reader
    from runs.store.records import InstanceRecord, RunRecord
    from selection.methods import Ranking

    Asked = dict[tuple[str, str], Ranking]


def asked_methods(
    args: argparse.Namespace,
    reader: Reader,
    run: RunRecord,
    instances: Sequence[InstanceRecord],
    methods: Sequence[str],
) -> tuple[Asked, dict[str, TroopError]]:
    """Rankings by method and instance of those methods that ask, and errors by instance.

    Raises:
        TroopError: the server or the engine cannot be used; what was answered is stored.
    """
    from runs.compare.questions import ASKING, answer, pose
    from runs.compare.reselect_asked import stored_config
    from runs.run.session import require_model

    asking = [method for method in methods if method in ASKING]
    if not asking:
        return {}, {}
    config = stored_config(run, args.config, given_settings(args))
    require_model(config)
    stories = [reader.story(instance) for instance in instances]
    questions = [pose(method, story, config) for story in stories for method in asking]
    open_ones = [question for question in questions if answer(reader, question) is None]
    errors = _inquire(args, reader, run, config, open_ones) if open_ones else {}
    answers = {(q.method, q.instance_id): answer(reader, q) for q in questions}
    return {key: said for key, said in answers.items() if said is not None}, errors


def _inquire(
    args: argparse.Namespace,
    reader: Reader,
    run: RunRecord,
    config: Config,
    questions: list[Question],
) -> dict[str, TroopError]:
    from agent.slots import Interrupted
    from runs.cli.shared.terminal import progress
    from runs.compare.reselect_asked import Inquiry, inquire

    inquiry = Inquiry(
        database=database_url(args.db),
        run=run,
        config=config,
        questions=questions,
        dataset=args.dataset or "",
        split=args.split,
    )
    try:
        return asyncio.run(inquire(inquiry, reader, progress()))
    except (Interrupted, asyncio.CancelledError):
        raise KeyboardInterrupt from None
