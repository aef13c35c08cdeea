"""What the views say, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.journal import Kind, TrajectoryId
from agent.model import Choice, Finish, Response, Usage
from agent.outcome import Outcome
from agent.strategies.protocol import Sample
from data.instances.instance import Environment
from data.patches.patch import UNEDITED, FileChange, Patch
from runs.store.query import ask
from runs.store.reading import Reader
from runs.store.registry import Status
from runs.store.store import Store
from selection.candidates import Candidate
from selection.matrix import Matrix
from selection.selectors.protocol import Ranking
from selection.solution import Solution
from selection.votes import Standing
from tests.runs.store.test_store import OTHER, RAN, SCRIPT, TESTING, begun, prompt, request, spec
from tests.support.views import view
from tests.support.world import instance

THIRD = TrajectoryId("sample-3/testing", Kind.TESTING, 3)
EDITING = TrajectoryId("sample-1/editing", Kind.EDITING, 1)
CHOICE = Choice("a", Finish.STOP)
DIFF = """\
diff --git a/old.py b/new.py
similarity index 50%
rename from old.py
rename to new.py
--- a/old.py
+++ b/new.py
@@ -1 +1 @@
-diff --git a/no.py b/no.py
+x
diff --git a/a b, c.py b/a b, c.py
deleted file mode 100644
--- a/a b, c.py
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git "a/\\346\\227\\245.py" "b/\\346\\227\\245.py"
--- "a/\\346\\227\\245.py"
+++ "b/\\346\\227\\245.py"
@@ -1 +1 @@
-x
+y
diff --git "a/\\377.py" "b/\\377.py"
--- "a/\\377.py"
+++ "b/\\377.py"
@@ -1 +1 @@
-x
+y
"""
FILES = ["new.py", "a b, c.py", "日.py", "'\\udcff.py'"]


async def shared_call(store: Store, row) -> None:
    """One request for three replies, and one of which nothing is known."""
    journal = store.journal(row)
    response = Response((CHOICE,) * 3, Usage(100, 20, 1), 0.5)
    turns = [prompt(), prompt(OTHER), prompt(THIRD)]
    await journal.record_call(request(OTHER.key, THIRD.key), response, turns, 0.001)
    await journal.record_call(request(), Response((CHOICE,), None, 0.25), [prompt(turn=1)], None)


async def test_shares_of_a_request_add_up_to_it(url):
    with Store(url) as store:
        _, row = await begun(store)
        await shared_call(store, row)
    whole = {"prompt_tokens": 100, "cached_tokens": 1, "completion_tokens": 20}
    with Reader(url) as reader:
        turns = view(reader, "turns")
        (stage,) = view(reader, "cost_by_stage")
    assert len(turns) == 4
    for name, total in whole.items():
        shares = [turn[f"{name}_share"] for turn in turns]
        assert sum(share for share in shares if share is not None) == total == stage[name]
        assert shares.count(None) == 1
        assert all(type(share) is int for share in shares if share is not None)
        assert [turn[name] for turn in turns].count(total) == 3  # as they were
    for name, total in (("cost_usd", 0.001), ("duration_s", 0.75)):
        assert sum(turn[f"{name}_share"] or 0 for turn in turns) == pytest.approx(total)


async def test_time_by_stage_includes_scripts(url):
    patch = Patch.of("d\n", (FileChange("a", b"b"),))
    with Store(url) as store:
        _, row = await begun(store)
        await shared_call(store, row)
        journal = store.journal(row)
        for change in (UNEDITED, patch):
            await journal.record_execution(SCRIPT, change, RAN)
        await journal.record_use(TESTING, 1, "before", SCRIPT, UNEDITED)
        await journal.record_use(EDITING, 1, "before", SCRIPT, UNEDITED)  # counts above alone
        await journal.record_use(EDITING, 1, "after", SCRIPT, patch)
        await journal.record_execution(SCRIPT, UNEDITED, RAN, 1)  # seen by nobody yet
    columns = "stage, calls, model_seconds, executions, script_seconds"
    assert ask(url, f"SELECT {columns} FROM time_by_stage").rows == [
        ("testing", 2, 0.75, 1, 0.25),
        ("editing", 0, 0.0, 1, 0.25),
        (None, 0, 0.0, 1, 0.25),
    ]


async def test_edited_files_are_known_of_samples_candidates_and_instances(url):
    patch = Patch.of(DIFF, (FileChange("new.py", b"x"),))
    candidate = Candidate(1, patch, (1,), ("them",))
    solution = Solution(
        1,
        (),
        Matrix("calc", (candidate,), (), {}),
        (Standing(candidate, 1, 1),),
        (1,),
        Ranking((candidate,), "only_candidate"),
    )
    with Store(url) as store:
        _, row = await begun(store)
        await store.save_sample(row, Sample(1, Outcome.DONE, SCRIPT, patch))
        await store.save_sample(row, Sample(2, Outcome.NO_EDIT, SCRIPT, UNEDITED))
        await store.save_solution(row, solution)
        _, row = await begun(store)
        await store.save_solution(row, solution)  # it replaces the earlier one
    assert ask(url, "SELECT files FROM samples").rows == [(", ".join(FILES),), ("",)]
    assert ask(url, "SELECT files FROM instances").rows == [(", ".join(FILES),)]
    assert ask(url, "SELECT files FROM candidates").rows == [(", ".join(FILES),)]
    found = ask(url, "SELECT candidate, chosen, place, path FROM edited_files").rows
    assert found == [(1, 1, place, path) for place, path in enumerate(FILES, 1)]


async def test_setups_are_known_of_instances_and_runs(url):
    given = [
        replace(instance(name), environment=Environment(setup=setup))
        for name, setup in (("b", "make 'x' ; y\n\u2028é"), ("a", "make"), ("c", "make"), ("d", ""))
    ]
    with Store(url) as store:
        run = await store.begin_run(spec(), fresh=False)
        await store.enter(run, given)
    found = ask(url, "SELECT instance_id, setup FROM instances").rows
    assert found == [("a", "make"), ("b", "make 'x' ; y\n\u2028é"), ("c", "make"), ("d", "")]
    assert ask(url, "SELECT setup FROM runs").rows == [("make 'x' ; y\n\u2028é\nmake",)]


async def test_errors_with_any_character_are_stored(url):
    with Store(url) as store:
        _, row = await begun(store)
        await store.mark(row, Status.FAILED, "it said \0 and \udcff")
    assert ask(url, "SELECT error FROM instances").rows == [("it said \\x00 and \\udcff",)]
