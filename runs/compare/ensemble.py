"""The input of an ensemble's run: instances that have candidates, and tests of stored runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.store.blobs import digest_of
from runs.store.reading import Reader
from runs.words import some

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.instances.instance import Instance
    from data.predictions.predictions import Prediction
    from sandbox.protocol import Script


def with_candidates(
    instances: Sequence[Instance], systems: Mapping[str, Sequence[Prediction]], notes: list[str]
) -> tuple[list[Instance], dict[str, Sequence[Prediction]]]:
    """The instances that somebody has a candidate for, and those candidates."""
    there = [one for one in instances if one.instance_id in systems]
    picked = {one.instance_id for one in there}
    without = [one.instance_id for one in instances if one.instance_id not in systems]
    elsewhere = [name for name in systems if name not in picked]
    if without:
        notes.append(f"Left out, because nobody has a candidate: {some(without)}.")
    if elsewhere:
        notes.append(f"Candidates of other instances are ignored: {some(elsewhere)}.")
    return there, {name: found for name, found in systems.items() if name in picked}


def stored_tests(
    database: str, runs: Sequence[str], instances: Sequence[Instance], notes: list[str]
) -> dict[str, list[tuple[str, Script]]]:
    """The scripts that stored runs ended with, by instance, each after the name of its run.

    Raises:
        UsageError: there is no such run.
        StoreError: the database fails.
    """
    found: dict[str, list[tuple[str, Script]]] = {}
    if not runs:
        return found
    with Reader(database) as reader:
        for name in runs:
            run = reader.run(None if name == "last" else name).name
            there = {one.instance_id: one for one in reader.instances(run)}
            for given in instances:
                instance = there.get(given.instance_id)
                if instance is None:
                    continue
                issue = digest_of(given.problem_statement)
                if (instance.base_commit, instance.issue) != (given.base_commit, issue):
                    notes.append(f"{given.instance_id}: The run {run} has another issue or commit.")
                    continue
                tests = [
                    (run, test.script)
                    for test in reader.story(instance).tests
                    if test.samples or test.sources  # somebody wrote it
                ]
                if tests:
                    found.setdefault(given.instance_id, []).extend(tests)
    without = [one.instance_id for one in instances if one.instance_id not in found]
    if without:
        notes.append(f"Without stored tests: {some(without)}.")
    return found
