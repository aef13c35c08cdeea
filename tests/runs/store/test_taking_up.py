"""Which run a command takes up: what did nothing is in nobody's way, and names are people's."""

from dataclasses import replace

import pytest

from data.errors import StoreError, UsageError
from data.patches.patch import UNEDITED
from runs.store.housekeeping import remove_runs, rename_run
from runs.store.ownership import Terms
from runs.store.reading import Reader
from runs.store.registry import Status
from runs.store.store import Store
from selection.matrix import Matrix
from selection.selectors.protocol import Ranking
from selection.solution import Solution
from tests.runs.store.test_store import RAN, SCRIPT, spec
from tests.support.claims import begun
from tests.support.views import view
from tests.support.world import instance

OTHER = replace(instance(), problem_statement="Another issue.\n")


async def tried(store, given, *, done=False, **changes):
    """A command that began and ended; `done`: it got as far as an execution."""
    there = {given.instance_id: given.digest}
    run, worker, (row,) = await store.begin(
        spec(instances=there, **changes), [given], Terms(60.0), fresh=False
    )
    if done:
        claim = await store.claim(worker, row, given)
        await store.journal(claim).record_execution(SCRIPT, UNEDITED, RAN)
    store.leave(worker, Status.FAILED)
    return run


def environment(**changes):
    return replace(instance(), environment=replace(instance().environment, **changes))


@pytest.mark.parametrize("name", ["", "mine"])
@pytest.mark.parametrize("changed", [OTHER, environment(setup="make"), environment(image="other")])
async def test_a_run_that_did_nothing_takes_the_new_settings(url, name, changed):
    with Store(url) as store:
        first = await tried(store, instance(), name=name)
        second = await tried(store, changed, name=name, done=True)
        assert second.name == first.name
    with Reader(url) as reader:
        (row,) = reader.instances(first.name)
        assert reader.story(row).whole == changed


@pytest.mark.parametrize("name", ["", "mine"])
async def test_other_settings_replace_what_did_nothing(url, name):
    with Store(url) as store:
        await tried(store, instance(), name=name, config={"context.tokens": 1})
        await tried(store, instance(), name=name, config={"context.tokens": 2}, model="n")
    with Reader(url) as reader:
        (run,) = reader.runs()
        assert run.model == "n"


async def test_nobody_joins_a_run_that_a_person_named(url):
    with Store(url) as store:
        await tried(store, instance(), name="mine", done=True)
        unnamed = await tried(store, instance())
        assert unnamed.name == "d-m-1"
        assert (await tried(store, instance())).name == "d-m-1"


async def test_another_issue_does_not_land_in_an_unnamed_run(url):
    with Store(url) as store:
        await tried(store, instance("one"), done=True)
        assert (await tried(store, instance("two"), done=True)).name == "d-m-2"
        changed = replace(OTHER, instance_id="one")
        assert (await tried(store, changed, done=True)).name == "d-m-3"
        assert (await tried(store, instance("one"))).name == "d-m-1"


async def test_both_values_of_what_differs_are_named(url):
    with Store(url) as store:
        await tried(store, instance(), name="mine", done=True)
        for changed, said in (
            (environment(setup="make"), "setup: none in the run, make now"),
            (environment(image="other"), "image: tiny in the run, other now"),
            (environment(language="go"), "language: python in the run, go now"),
            (environment(repo_dir="/x"), "repository folder: /testbed in the run, /x now"),
            (replace(instance(), base_commit="1"), f"commit: {'0' * 40} in the run, 1 now"),
            (OTHER, "/ + Another issue."),
        ):
            with pytest.raises(UsageError) as refused:
                await tried(store, changed, name="mine")
            assert said in refused.value.message
            assert "--fresh" in refused.value.hint
        with pytest.raises(UsageError) as refused:
            await tried(store, instance(), name="mine", config={"context.tokens": 9})
        assert "context.tokens: 4 in the run, 9 now" in refused.value.message
        assert "troop runs rm mine" in refused.value.hint


async def test_a_run_that_somebody_begins_is_not_replaced(url):
    with Store(url) as store:
        mine = spec(name="mine", owner="you", config={})
        _, worker, _ = await store.begin(spec(name="mine"), [instance()], Terms(60.0), fresh=False)
        with pytest.raises(UsageError, match="another configuration"):
            await store.begin(mine, [instance()], Terms(60.0), fresh=False)
        store.leave(worker)
        await store.begin(mine, [instance()], Terms(60.0), fresh=False)


async def test_a_run_that_decided_without_asking_is_not_replaced(url):
    """As an ensemble of one candidate does."""
    nothing = Solution(0, (), Matrix("calc", (), (), {}), (), (), Ranking((), ""))
    with Store(url) as store:
        _, claim = await begun(store, spec(name="mine"), instance())
        await store.save_solution(claim, nothing)
        store.leave(claim.worker)
        with pytest.raises(UsageError, match="another configuration"):
            await store.begin(spec(name="mine", config={}), [instance()], Terms(60.0), fresh=False)


async def test_removing_a_run_takes_what_only_it_has(url):
    with Store(url) as store:
        await tried(store, instance("one"), name="a", done=True)
        await tried(store, instance("two"), name="b", done=True)
    said = remove_runs(url, ["a"], dry_run=True)
    assert [(each.name, each.executions) for each in said.runs] == [("a", 1)]
    assert remove_runs(url, ["a"]) == said
    with Reader(url) as reader:
        assert [run.name for run in reader.runs()] == ["b"]
        (row,) = view(reader, "executions")  # what both have is still there
        assert reader.text(row["output"]) == RAN.output
    removed = remove_runs(url, ["b"])
    assert removed.texts > 0
    assert remove_runs(url, []).texts == 0


async def test_texts_stay_while_somebody_works(url):
    with Store(url) as store:
        await tried(store, instance("one"), name="a", done=True)
        begun = await store.begin(spec(name="b"), [instance("two")], Terms(60.0), fresh=False)
        removed = remove_runs(url, ["a"])
        assert (removed.texts, removed.working) == (0, ["b"])
        with pytest.raises(StoreError, match="worked on by another process"):
            remove_runs(url, ["b"])
        store.leave(begun[1])
    assert remove_runs(url, []).texts > 0


async def test_a_renamed_run_has_its_new_name_only(url):
    with Store(url) as store:
        await tried(store, instance(), done=True)
        await tried(store, instance(), name="b", done=True)
    rename_run(url, "d-m-1", "best")
    for old, new, said in (
        ("best", "b", "There is a run b already"),
        ("d-m-1", "c", "d-m-1"),
        ("best", "last", "cannot be"),
        ("best", "a b", "cannot be"),
    ):
        with pytest.raises(UsageError, match=said):
            rename_run(url, old, new)
    with Store(url) as store:  # a person named it now
        assert (await tried(store, instance())).name == "d-m-1"
