"""Completions of every shape: an answer is read or refused, and nothing else happens."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import Choice, Finish, Usage
from agent.openai_client.completions import read_completion, read_usage
from agent.openai_client.models import read_models


def read(*choices, n=1, **more):
    return read_completion(json.dumps({"choices": list(choices), **more}).encode(), n)


def choice(finish="stop", **message):
    return {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (choice(content="x"), Choice("x", Finish.STOP)),
        (choice("length", content="x"), Choice("x", Finish.LENGTH)),
        (choice("content_filter", content="x"), Choice("x", Finish.FILTERED)),
        (choice("eos", content="x"), Choice("x", Finish.STOP)),
        (choice(None, content="x"), Choice("x", Finish.STOP)),
        (choice(["stop"], content="x"), Choice("x", Finish.STOP)),
        (choice(content=None), Choice("", Finish.EMPTY)),
        (choice(content=""), Choice("", Finish.EMPTY)),
        (choice(content=" \n"), Choice("", Finish.EMPTY)),
        (choice("length", content=None), Choice("", Finish.LENGTH)),
        (choice("content_filter", content=None), Choice("", Finish.FILTERED)),
        (choice(content=None, refusal="No."), Choice("No.", Finish.FILTERED)),
        (choice(content="x", reasoning_content="hm"), Choice("x", Finish.STOP, "hm")),
        (choice(content="x", reasoning="hm"), Choice("x", Finish.STOP, "hm")),
        (choice(content="x", reasoning=None), Choice("x", Finish.STOP)),
        (choice(content="x", reasoning=7), Choice("x", Finish.STOP)),
        (
            choice("length", content="", reasoning_content="hm"),
            Choice("", Finish.LENGTH, "hm"),
        ),
        (
            choice(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, "c"]),
            Choice("abc", Finish.STOP),
        ),
        (
            choice(
                content=[
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "a"},
                ]
            ),
            Choice("a", Finish.STOP, "hm"),
        ),
        (choice(content=[None, 1, {"text": 2}]), Choice("", Finish.EMPTY)),
        (choice(content={"text": "x"}), Choice("", Finish.EMPTY)),
        (choice(content=7), Choice("", Finish.EMPTY)),
        (choice(content="a\ud83d\ude00b\ud800"), Choice("a😀b�", Finish.STOP)),
        ({"message": None}, Choice("", Finish.EMPTY)),
        ({"message": "x"}, Choice("", Finish.EMPTY)),
        ({}, Choice("", Finish.EMPTY)),
        (None, Choice("", Finish.EMPTY)),
        ("x", Choice("", Finish.EMPTY)),
    ],
)
def test_choice(given, expected):
    completion = read(given)
    assert completion is not None
    assert completion.choices == (expected,)
    completion.choices[0].text.encode()


def test_no_choices():
    for found in ("[]", "null", "{}", "7"):
        completion = read_completion(f'{{"choices": {found}}}'.encode(), 1)
        assert completion is not None
        assert completion.choices == (Choice("", Finish.EMPTY),)


def test_more_choices_than_asked_for():
    completion = read(*(choice(content=text) for text in "abc"), n=2)
    assert completion is not None
    assert [one.text for one in completion.choices] == ["a", "b"]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"{}", b'"x"', b"{", b"\xff\xfe", b'{"error": {}}', b"[" * 100_000),
        b'{"error": {"message": "no"}, "choices": null}',
    ],
)
def test_no_completion(body):
    assert read_completion(body, 1) is None
    assert read_models(body) is None or not read_models(body).lengths


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2}, Usage(9, 2)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": 8},
            },
            Usage(9, 2, 8),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": None},
            Usage(9, 2),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": None},
                "prompt_cache_hit_tokens": 5,
            },
            Usage(9, 2, 5),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 2, "cached_tokens": 4}, Usage(9, 2, 4)),
        ({"prompt_tokens": 9.0, "completion_tokens": 2.0}, Usage(9, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "cached_tokens": 99}, Usage(9, 2, 9)),
        ({"prompt_tokens": 9}, None),
        ({"prompt_tokens": "9", "completion_tokens": 2}, None),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": -1, "completion_tokens": 2}, None),
        ({"prompt_tokens": float("nan"), "completion_tokens": 2}, None),
        ({"prompt_tokens": float("inf"), "completion_tokens": 2}, None),
        ([], None),
        (None, None),
    ],
)
def test_usage(given, expected):
    assert read_usage(given) == expected


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("choices", "message", "content", "text", "thinking", "reasoning", "usage"),
                    *("prompt_tokens", "completion_tokens", "prompt_tokens_details"),
                    *("error", "data", "id"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(anything)
def test_any_json_is_read_or_refused(data):
    body = json.dumps(data).encode()
    completion = read_completion(body, 3)
    assert completion is None or completion.choices
    read_models(body)
