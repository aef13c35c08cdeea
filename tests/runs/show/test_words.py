"""Why a run chose a candidate, in words."""

import pytest

from runs.words import decided_by


@pytest.mark.parametrize(
    ("selector", "reason", "words"),
    [
        ("selection", "selection", "the selection trajectory chose it"),
        ("selection", "vote", "it leads the vote"),
        ("regression", "vote", "it leads the vote"),
        ("shortest", "vote", "the selector shortest puts it first"),
        ("shortest", "only_candidate", "it is the only candidate"),
        ("model", "selection", "a model chose it from the diffs"),
        (
            "model",
            "fallback",
            "most wrote this patch (the model gave no usable answer)",
        ),
    ],
)
def test_who_decided(selector, reason, words):
    settings = {"selection.selector": selector, "selection.votes": "regression"}
    assert decided_by(reason, settings) == words
    assert decided_by("vote", {}) == "it leads the vote"  # as version 0.1.0 stored it
