"""Recordings: what is written comes back, what is odd is refused, what is missing is named."""

import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from agent.model import Choice, Finish, Message, ModelRefused, ModelRequest, Usage
from agent.recording import (
    FORMAT,
    RecordedClient,
    RecordedReply,
    Recording,
    RecordingHeader,
    read_recording,
    write_recording,
)
from data.errors import UsageError

HEADER = RecordingHeader(model="qwen", made="2026-11-30", note="for the demo")


def reply(trajectory="sample-0/editing", turn=0, text="x", **more):
    return RecordedReply(trajectory, turn, text, more.pop("finish", Finish.STOP), **more)


def request(trajectory="sample-0/editing", turn=0, siblings=(), text="hi"):
    return ModelRequest(trajectory, turn, "any", (Message("user", text),), 0.5, 100, siblings)


def recording(*replies):
    return Recording(HEADER, {(one.trajectory, one.turn): one for one in replies})


REPLIES = [
    reply(),
    reply(turn=1, text="zwei\n\u2028\x85 “drei” 🐒", reasoning="hm", duration_s=1.5),
    reply("sample-1/editing", usage=Usage(10, 5, 9), finish=Finish.LENGTH),
    reply("sample-1/testing", text="", finish=Finish.EMPTY, duration_s=2.0),
    reply("surrogate", text="\ud800"),
]


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_round_trip(tmp_path, name):
    path = tmp_path / name
    write_recording(path, HEADER, REPLIES)
    assert read_recording(path) == recording(*REPLIES)
    assert path.read_bytes().startswith(zstandard.FRAME_HEADER) == name.endswith(".zst")
    assert [one.name for one in tmp_path.iterdir()] == [name]


texts = st.text(st.characters(codec=None), max_size=30)


@given(
    st.lists(
        st.builds(
            RecordedReply,
            trajectory=texts,
            turn=st.integers(0, 99),
            text=texts,
            finish=st.sampled_from(Finish),
            reasoning=texts,
            usage=st.none() | st.builds(Usage, *[st.integers(0, 2**40)] * 3),
            duration_s=st.none() | st.floats(0, 1e6),
        ),
        unique_by=lambda one: (one.trajectory, one.turn),
        max_size=4,
    )
)
def test_any_reply_round_trips(tmp_path_factory, replies):
    path = tmp_path_factory.mktemp("recording") / "run.jsonl.zst"
    write_recording(path, HEADER, replies)
    assert read_recording(path) == recording(*replies)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "run.jsonl"
    write_recording(path, HEADER, REPLIES)
    with pytest.raises(AttributeError):
        write_recording(path, HEADER, [*REPLIES, None])
    assert read_recording(path) == recording(*REPLIES)
    assert len(list(tmp_path.iterdir())) == 1


def test_frames_one_after_the_other(tmp_path):
    path = tmp_path / "run.jsonl"
    write_recording(path, HEADER, REPLIES)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(zstandard.compress(line) for line in lines))
    assert len(read_recording(path).replies) == len(REPLIES)


HEAD = {"format": FORMAT, "model": "m", "made": "2026-11-30"}
LINE = {"trajectory": "t", "turn": 0, "text": "x", "finish": "stop"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"turn": None}, "turn is NoneType, not int"),
        ({"turn": True}, "turn is bool, not int"),
        ({"turn": 1.0}, "turn is float, not int"),
        ({"turn": -1}, "turn is -1"),
        ({"text": 7}, "text is int, not str"),
        ({"finish": "done"}, "finish is 'done', not one of stop, length, filtered, empty"),
        ({"finish": None}, "finish is NoneType"),
        ({"usage": None}, "usage is NoneType, not dict"),
        ({"usage": {}}, "usage: lacks 'prompt_tokens'"),
        ({"usage": {"prompt_tokens": 1, "completion_tokens": "2"}}, "usage: completion_tokens"),
        (
            {"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total": 3}},
            "usage: has an unknown field, 'total'",
        ),
        ({"duration_s": "fast"}, "duration_s is str, not float"),
        ({"reasoning": None}, "reasoning is NoneType"),
        ({"role": "user"}, "has an unknown field, 'role'"),
    ],
)
def test_odd_replies(tmp_path, change, complaint):
    path = tmp_path / "run.jsonl"
    lines = [HEAD, {**LINE, "turn": 7}, {**LINE, **change}]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(UsageError) as caught:
        read_recording(path)
    assert "run.jsonl, line 3: " in caught.value.message
    assert complaint in caught.value.message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: is not JSON"),
        ("\n", "line 1: is not JSON"),
        ("hello", "line 1: is not JSON"),
        ("[]", "line 1: is not a JSON object"),
        ("{}", "line 1: is not a recording"),
        ('{"format": 1}', "line 1: is not a recording"),
        (json.dumps({**HEAD, "format": "troop-recording-2"}), "is in format troop-recording-2"),
        (json.dumps({**HEAD, "made": "yesterday"}), "made: 'yesterday' is not an ISO date"),
        (json.dumps({"format": FORMAT, "made": "2026-11-30"}), "line 1: lacks 'model'"),
        (json.dumps({**HEAD, "author": "me"}), "line 1: has an unknown field, 'author'"),
        (json.dumps(HEAD) + "\n\n" + json.dumps(LINE), "line 2: is not JSON"),
        (json.dumps(HEAD) + "\n" + json.dumps(LINE)[:-5], "line 2: is not JSON"),
        (json.dumps(HEAD) + '\n{"turn": NaN}', "line 2: is not JSON"),
        (json.dumps(HEAD) + "\n" + "[" * 100_000, "line 2: is not JSON"),
        (
            json.dumps(HEAD) + 2 * ("\n" + json.dumps(LINE)),
            "line 3: 't' turn 0 is already on line 2",
        ),
    ],
)
def test_odd_files(tmp_path, text, complaint):
    path = tmp_path / "run.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_recording(path)
    assert complaint in caught.value.message
    assert caught.value.hint


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="There is no file"):
        read_recording(tmp_path / "none.jsonl")
    path = tmp_path / "run.jsonl.zst"
    write_recording(path, HEADER, REPLIES)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UsageError, match="cut off"):
        read_recording(path)


class TestClient:
    async def test_answers_by_trajectory_and_turn(self):
        client = RecordedClient(recording(*REPLIES))
        response = await client.complete(request(turn=1, text="whatever"))
        assert response.choices == (Choice(REPLIES[1].text, Finish.STOP, "hm"),)
        assert response.replayed
        assert response.duration_s == 1.5
        assert response.usage is None
        await client.close()

    async def test_siblings_get_their_own(self):
        client = RecordedClient(
            recording(
                reply("a", text="A", usage=Usage(100, 5, 90), duration_s=1),
                reply("b", text="B", usage=Usage(100, 7, 100), duration_s=3),
                reply("d", text="D"),
            )
        )
        response = await client.complete(request("a", siblings=("b",)))
        assert [choice.text for choice in response.choices] == ["A", "B"]
        assert response.usage == Usage(100, 12, 90)
        assert response.duration_s == 3
        # d would take c's place if it came along.
        response = await client.complete(request("a", siblings=("b", "c", "d")))
        assert [choice.text for choice in response.choices] == ["A", "B"]

    async def test_usage_is_unknown_where_a_part_is(self):
        client = RecordedClient(recording(reply("a", usage=Usage(1, 2)), reply("b")))
        assert (await client.complete(request("a", siblings=("b",)))).usage is None

    @pytest.mark.parametrize(
        ("asked", "complaint"),
        [
            (request("sample-0/editing", 2), "'sample-0/editing', turn 2. It has only turns 0, 1"),
            (request("sample-9/editing"), "'sample-9/editing', turn 0. It has nothing of"),
        ],
    )
    async def test_missing(self, asked, complaint):
        with pytest.raises(ModelRefused) as caught:
            await RecordedClient(recording(*REPLIES)).complete(asked)
        assert complaint in caught.value.message
        assert "number of samples" in caught.value.hint
        assert "turns" in caught.value.hint

    async def test_check(self):
        facts = await RecordedClient(recording()).check("another")
        assert facts.models == ("qwen",)

    async def test_pace(self, monkeypatch):
        waits = []

        async def sleep(seconds):
            waits.append(seconds)

        monkeypatch.setattr("asyncio.sleep", sleep)
        client = RecordedClient(recording(reply(usage=Usage(1, 50))), pace=2.0)
        await client.complete(request())
        assert waits == [pytest.approx(0.1)]
