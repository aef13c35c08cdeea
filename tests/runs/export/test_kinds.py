"""Every kind of trajectory stands in every form."""

from __future__ import annotations

import json

import pytest

from agent.journal import Kind, TrajectoryId
from runs.export import atif, mini
from runs.export.atif import atif_document
from runs.export.mini import mini_documents
from runs.export.trace import trace
from runs.store.reading import Reader
from tests.support.recorded import record_talks

pytestmark = pytest.mark.slow

TALKS = [
    TrajectoryId(f"{kind}-1", kind, 1 if kind in {Kind.TESTING, Kind.EDITING} else None)
    for kind in Kind
    if kind is not Kind.MATRIX  # asks no model
]


@pytest.fixture
async def story(url):
    """An instance with a trajectory of each kind, recorded in any order."""
    await record_talks(url, reversed(TALKS))
    with Reader(url) as reader:
        yield reader.story(reader.instance("r", None))


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.kind)
def test_a_kind_is_in_every_format(story, talk):
    said = f"said by {talk.key}"
    assert said in trace(story, "")
    documents = mini_documents(story, "")
    apart = {stem: json.dumps(each) for stem, each in documents.items() if stem != story.name}
    assert sum(said in text for text in apart.values()) == 1
    document = atif_document(story, "")
    steps = json.dumps(document["steps"])
    assert f'"subagent_trajectory_ref": [{{"trajectory_id": "{talk.key}"}}]' in steps
    embedded = [each["trajectory_id"] for each in document["subagent_trajectories"]]
    assert embedded.count(talk.key) == 1


def test_kinds_are_in_the_order_of_work(story):
    order = [talk.key for talk in TALKS]
    assert [talk.key for talk in story.conversations] == order
    text = trace(story, "")
    places = [text.index(f"said by {talk.key}") for talk in TALKS]
    assert places == sorted(places)


def test_every_kind_has_its_place():
    assert set(atif._ABOUT) == set(mini._STEMS) == set(Kind)
