"""Made the databases and goldens of this folder, with the Troop whose schema was 0004.

    python tests/runs/store/data/0004/make.py

It needs the code of that day (the commit that brought this file) and is kept as a record of what
is in the databases; it need not work with later code. What they were made from is in
`tests/support/tally.py` and `tests/support/goldens.py`.

    plain         `troop solve`, four samples, three candidates, a selection trajectory
    shell         the same with --setup, --language, --repo-dir; test scripts in Bash
    command       the repository's own tests run by a command; a candidate breaks them
    guests        candidates of outside systems, whose names have spaces, beside two samples
    dataset       a JSONL file of three instances: solved, unsolved, failed
    ensemble      outside systems' candidates, tests of an earlier run, grades
    asked         plain, and what `troop select --method model,selection` was answered
    interrupted   six runs that were stopped or killed, see `interrupted`
    demo          `troop demo` with its executions, but without a reply
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[5]))

from tests.support import goldens, tally
from tests.support.command import Command
from tests.support.goldens import INTERRUPTED, SOLVED, Troop
from tests.support.model_server import HANG, ModelServer, Raw, completion, tokens

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Make all of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(goldens.folders(folder))
        goldens.lay_inputs(folder)
        with ModelServer(tally.answer) as server:
            prompts = {}
            for run in SOLVED:
                troop = solved(folder, run, server.base_url)
                store(troop, run)
                prompts[run] = goldens.prompts(troop, run)
            for make in (dataset, ensemble, asked):
                troop = make(folder, server.base_url)
                store(troop, make.__name__)
                prompts |= {
                    name: goldens.prompts(troop, name)
                    for (name,) in troop.rows("SELECT run FROM runs ORDER BY run")
                    if make is not asked
                }
        interrupted(folder)
        prompts["demo"] = demo(folder)
        goldens.write_golden("prompts", prompts)


def solved(folder: Path, run: str, url: str) -> Troop:
    """A run of the person's own repository."""
    troop = Troop(folder, folder / f"{run}.db")
    troop.finish(*troop.solve_words(run, url, SOLVED[run]))
    goldens.write_golden(f"{run}.outcome", goldens.outcome(troop, run))
    return troop


def store(troop: Troop, name: str) -> None:
    """Keep the database, and what this Troop makes of it."""
    found: dict[str, Any] = {"facts": goldens.facts(troop), "select": {}, "export": {}}
    found["recording"] = {}
    for (run,) in troop.rows("SELECT run FROM runs ORDER BY run"):
        out = troop.folder / "out" / name / run
        found["select"][run] = goldens.selected(troop, run)
        found["export"][run] = goldens.exported(troop, run, out)
        ids = troop.rows(f"SELECT DISTINCT instance_id FROM turns WHERE run = '{run}'")
        for (instance,) in ids:
            file = troop.folder / "recording.jsonl"
            found["recording"][f"{run} {instance}"] = goldens.recorded(troop, run, instance, file)
    if name == "asked":
        methods = f"{goldens.METHODS},model,selection"
        found["asked"] = goldens.selected(troop, "plain", methods=methods)
    goldens.write_golden(name, found)
    goldens.pack(troop.database, name)


def dataset(folder: Path, url: str) -> Troop:
    """A run of a dataset: the second instance is hopeless, the third has no sandbox."""
    troop = Troop(folder, folder / "dataset.db")
    with rows_sandbox():
        code, _, _ = troop.run(*troop.run_words(url, *goldens.DATASET_IDS))
    assert code == 3
    goldens.write_golden("dataset.outcome", goldens.outcome(troop, "dataset"))
    return troop


def ensemble(folder: Path, url: str) -> Troop:
    """Three runs over the same candidates: tests written, taken over, and both with a model."""
    troop = Troop(folder, folder / "ensemble.db")
    model = ["--model", "mock", "--base-url", url]
    turns = ["--set", "selection.turns=0"]
    with rows_sandbox():
        troop.finish(*troop.ensemble_words("tests", *model, "--tests", "4", *turns))
        troop.finish(*troop.ensemble_words("votes", "--tests-from", "tests", "--no-model"))
        words = ["--tests-from", "tests", "--tests", "2"]
        troop.finish(*troop.ensemble_words("barrel", *words, *model))
    grade(troop)
    return troop


def grade(troop: Troop) -> None:
    """The whole repair is right; the half one was graded by both judges, of which one failed."""
    import asyncio

    from runs.grading.nouns import Counts, Grade, Outcome, Task
    from runs.store.database import sqlite_url
    from runs.store.store import Store
    from tests.support.graded import spec_of

    with tempfile.TemporaryDirectory() as name:
        spec = spec_of(Path(name), instance_id="tally-1")
    rows = troop.rows("SELECT DISTINCT content(diff) FROM candidates ORDER BY 1")
    with Store(sqlite_url(troop.database)) as store_:
        for (diff,) in rows:
            right = tally.MARK in diff
            outcome = Outcome.RESOLVED if right else Outcome.UNRESOLVED
            counts = (Counts(int(right), int(not right)), Counts(3, 0))
            made = Grade(Task.of(spec, diff), outcome, "", *counts, '{"a": 1}', "log", 1.5)
            asyncio.run(store_.save_grade(made, ("harness", "swebench 5"), 1800.0))
            if not right:
                made = Grade(Task.of(spec, diff), Outcome.ERROR, "no room", log="log")
                asyncio.run(store_.save_grade(made, ("sandbox", "troop 0"), 60.0))


def asked(folder: Path, url: str) -> Troop:
    """The plain run, with a model asked to choose again."""
    troop = Troop(folder, folder / "asked.db")
    with (
        closing(sqlite3.connect(folder / "plain.db")) as source,
        closing(sqlite3.connect(troop.database)) as target,
    ):
        source.backup(target)
    words = ["select", "plain", "--method", "model,selection", "--base-url", url]
    troop.finish(*words)
    troop.finish(*words, "--set", "selection.finalists=2")
    return troop


def rows_sandbox() -> Any:
    """Runs scripts of a dataset's instances on this machine."""

    async def provider(kind, images=None):
        return goldens.RowsSandbox()

    return mock.patch("sandbox.choose.choose_provider", provider)


def interrupted(folder: Path) -> None:
    """Six runs: one got Ctrl-C, five were killed while a request was not answered.

    stopped: while a sample's first edit was waited for. killed: one sample had ended, the others
    were under way. first-n: the tests' first replies had come. before-selection, in-selection: the
    trajectory's first, or second, reply had not come. shell-killed: as killed, with the flags of
    "shell".
    """
    holds: dict[str, Callable[[str, int], bool]] = {
        "killed": lambda kind, turn: (
            (kind, turn) in {("editing3", 1), ("testing", 2)} or kind == "editing4"
        ),
        "first-n": lambda kind, turn: (
            kind.startswith("editing") or (kind == "testing" and turn > 0)
        ),
        "before-selection": lambda kind, turn: kind == "selection",
        "in-selection": lambda kind, turn: kind == "selection" and turn == 1,
        "shell-killed": lambda kind, turn: (kind, turn) == ("editing3", 1) or kind == "editing2",
    }
    command = Command(folder)
    database = folder / "interrupted.db"
    troop = Troop(folder, database)
    for run in INTERRUPTED:
        flags = SOLVED["shell" if run.startswith("shell") else "plain"]
        with ModelServer(Holding(holds.get(run))) as server:
            words = [*troop.solve_words(run, server.base_url, flags), "--db", str(database)]
            process = command.start(*words)
            if run in holds:
                wait_until_still(server, database)
                os.killpg(process.pid, signal.SIGKILL)
            else:
                while not any(slow(body) for body in server.requests):
                    time.sleep(0.02)
                process.send_signal(signal.SIGINT)
            process.communicate()
    goldens.write_golden("interrupted", {"facts": goldens.facts(troop)})
    goldens.pack(database, "interrupted")


def what(body: dict[str, Any]) -> tuple[str, int]:
    """What a request is for, with the sample where that can be told, and its turn."""
    import re

    messages = [message["content"] for message in body["messages"]]
    turn = len(messages) // 2 - 1
    if "# Your task: fix the issue" in messages[1]:
        return "editing" + re.findall(r"# variant (\d)", messages[1])[-1], turn
    if "# Your task: write a test script" in messages[1]:
        return "testing", turn
    return ("selection" if "# Your task: choose" in messages[1] else "context"), turn


def slow(body: dict[str, Any]) -> bool:
    """The request during which Ctrl-C comes."""
    return what(body) == ("editing2", 0)


class Holding:
    """Answers as the model does, but never what is held; without that, one answer is slow."""

    def __init__(self, held: Callable[[str, int], bool] | None) -> None:
        self._held = held

    def __call__(self, body: dict[str, Any]) -> Any:
        if self._held is not None:
            return HANG if self._held(*what(body)) else tally.answer(body)
        if not slow(body):
            return tally.answer(body)
        return Raw(completion([tally.answer(body)], usage=tokens(100, 10)), delay_s=1.5)


def wait_until_still(server: ModelServer, database: Path) -> None:
    """Until a request hangs and nothing more is recorded for a second and a half."""

    def state() -> tuple[int, int, int]:
        with closing(sqlite3.connect(database)) as reading:
            counts = [
                reading.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("turn", "execution")
            ]
        return (len(server.requests), *counts)

    time.sleep(1.0)
    before, since = (0, 0, 0), time.monotonic()
    while server.in_flight == 0 or time.monotonic() - since < 1.5:
        time.sleep(0.05)
        try:
            now = state()
        except sqlite3.OperationalError:
            continue
        if now != before:
            before, since = now, time.monotonic()


def demo(folder: Path) -> list[list[Any]]:
    """The demo's executions without its replies; what its prompts were."""
    troop = Troop(folder, folder / "demo.db")
    troop.finish("demo", "--sandbox", "local", "--no-wait")
    ((run,),) = troop.rows("SELECT run FROM runs")
    found = goldens.prompts(troop, run)
    goldens.write_golden("demo.outcome", goldens.outcome(troop, run))
    with closing(sqlite3.connect(troop.database, isolation_level=None)) as database:
        for table in (
            *("vote", "candidate", "test", "regression_file", "sample", "sighting", "turn"),
            *("call", "trajectory"),
        ):
            database.execute(f"DELETE FROM {table}")
        database.execute(
            "UPDATE instance SET status = 'interrupted', context_files = '', chosen = NULL,"
            " reason = '', patch = NULL, finished_at = NULL"
        )
        database.execute("UPDATE run SET status = 'interrupted', finished_at = NULL")
        database.execute(
            "DELETE FROM blob WHERE digest NOT IN (SELECT script_text FROM execution"
            " UNION SELECT diff FROM execution UNION SELECT output FROM execution"
            " UNION SELECT problem FROM instance)"
        )
    goldens.pack(troop.database, "demo")
    return found


if __name__ == "__main__":
    main()
