"""The client against a real server: what goes out, what comes back, what is refused."""

import asyncio
import gc
import json
import socket
import time

import pytest

from agent.model import (
    ContextExceeded,
    Finish,
    Message,
    ModelRefused,
    ModelRequest,
    ModelUnavailable,
    RequestRejected,
    Usage,
)
from agent.openai_client import OpenAIClient
from tests.support.model_server import (
    HANG,
    MALFORMED,
    RESET,
    ModelServer,
    Raw,
    completion,
    cut_short,
    html,
    in_turn,
    refuse,
    retry_after,
    tokens,
)
from tests.support.waiting import HANG_S, eventually_async


def ask(text="hi", *, siblings=(), model="mock", temperature=0.5, max_tokens=100):
    return ModelRequest(
        "sample-0/editing",
        0,
        model,
        (Message("system", "be brief"), Message("user", text)),
        temperature,
        max_tokens,
        siblings,
    )


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time = 0.0
        self.waits = []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def connect():
    """Make clients that are closed at the end, on a clock that costs no time."""
    clients = []

    def make(server, **options):
        url = server if isinstance(server, str) else server.base_url
        clock = Clock()
        client = OpenAIClient(url, **{"sleep": clock.sleep, "now": clock.now, **options})
        client.clock = clock
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


async def complete(connect, answer, **options):
    with ModelServer(answer) as server:
        return await connect(server, **options).complete(ask())


class TestRequest:
    async def test_fields(self, connect):
        with ModelServer(lambda body: "hello") as server:
            response = await connect(server).complete(ask("what?"))
            assert server.requests == [
                {
                    "model": "mock",
                    "messages": [
                        {"role": "system", "content": "be brief"},
                        {"role": "user", "content": "what?"},
                    ],
                    "max_tokens": 100,
                    "temperature": 0.5,
                }
            ]
            assert server.seen[0].headers["authorization"] == "Bearer none"
        assert [choice.text for choice in response.choices] == ["hello"]
        assert response.choices[0].finish is Finish.STOP
        assert response.attempts == 1
        assert not response.replayed

    async def test_options(self, connect):
        more = {"chat_template_kwargs": {"enable_thinking": False}}
        with ModelServer(lambda body: "x") as server:
            client = connect(server, max_tokens_field="max_completion_tokens", extra_body=more)
            await client.complete(ask(temperature=None, siblings=("a", "b")))
            (body,) = server.requests
        assert body["max_completion_tokens"] == 100
        assert body["chat_template_kwargs"] == {"enable_thinking": False}
        assert body["n"] == 3
        assert "max_tokens" not in body
        assert "temperature" not in body

    async def test_key_and_address_from_the_environment(self, connect, monkeypatch):
        monkeypatch.setenv("MY_KEY", " secret-key-1234 \n")
        with ModelServer(lambda body: "x") as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            client = OpenAIClient(None, "MY_KEY")
            await client.complete(ask())
            await client.close()
            assert server.seen[0].headers["authorization"] == "Bearer secret-key-1234"

    async def test_user_information_in_the_url(self, connect):
        with ModelServer(lambda body: "x") as server:
            url = server.base_url.replace("://", "://me:p%40ss@")
            await connect(url).complete(ask())
            assert server.seen[0].headers["authorization"] == "Basic bWU6cEBzcw=="

    async def test_lone_surrogates_are_sent_as_question_marks(self, connect):
        with ModelServer(lambda body: "x") as server:
            await connect(server).complete(ask("caf\udce9 / é"))
            assert server.requests[0]["messages"][1]["content"] == "caf? / é"

    async def test_loopback_ignores_proxies(self, connect, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
        assert (await complete(connect, lambda body: "through")).choices[0].text == "through"

    async def test_64_at_once(self, connect):
        def answer(body):
            return "echo " + body["messages"][1]["content"]

        with ModelServer(answer, delay_s=0.5) as server:
            client = connect(server)
            calls = [client.complete(ask(str(number))) for number in range(64)]
            responses = await asyncio.gather(*calls)
            assert server.most_in_flight == 64
        texts = [response.choices[0].text for response in responses]
        assert texts == [f"echo {number}" for number in range(64)]


class TestResponse:
    async def test_choices_up_to_n(self, connect):
        with ModelServer(lambda body: ["a", "b", "c"]) as server:
            client = connect(server)
            assert len((await client.complete(ask(siblings=("x",)))).choices) == 2
            assert len((await client.complete(ask(siblings=("x",) * 5))).choices) == 3

    async def test_servers_that_give_one_choice_only(self, connect):
        def answer(body):
            if body.get("n", 1) > 1:  # llama.cpp's very words and status
                return refuse(500, "Only one completion choice is allowed", type="server_error")
            return "one"

        with ModelServer(answer) as server:
            client = connect(server)
            response = await client.complete(ask(siblings=("x", "y")))
            assert [body.get("n") for body in server.requests] == [3, None]
        assert [choice.text for choice in response.choices] == ["one"]
        assert client.clock.waits == []

    async def test_usage_with_cache(self, connect):
        usage = tokens(100, 7, prompt_tokens_details={"cached_tokens": 90})
        response = await complete(connect, lambda body: Raw(completion(["x"], usage=usage)))
        assert response.usage == Usage(100, 7, 90)

    async def test_usage_missing(self, connect):
        response = await complete(connect, lambda body: Raw(completion(["x"], usage=None)))
        assert response.usage is None

    async def test_empty(self, connect):
        for body in (completion([]), completion([None]), completion([""])):
            response = await complete(connect, lambda _request, body=body: Raw(body))
            assert [one.finish for one in response.choices] == [Finish.EMPTY]
            assert response.choices[0].text == ""

    async def test_duration_is_that_of_the_attempt(self, connect):
        times = iter([0.0, 1.0, 1.0, 10.0, 14.0])  # a wait lasts from 1 to 10
        with ModelServer(in_turn(refuse(503, "loading"), "x")) as server:
            client = connect(server, now=lambda: next(times))
            response = await client.complete(ask())
        assert response.duration_s == 4.0
        assert response.attempts == 2


class TestRetry:
    @pytest.mark.parametrize(
        "fault",
        [
            refuse(429, "slow down"),
            refuse(408, "request timeout"),
            refuse(409, "conflict"),
            refuse(500, "oops"),
            refuse(503, "Loading model"),
            html(502),
            RESET,
            MALFORMED,
            cut_short(),
            Raw(""),
            Raw({"error": {"message": "upstream is busy", "code": 502}}),
        ],
        ids=["429", "408", "409", "500", "503", "page", "reset", "json", "cut", "nothing", "200"],
    )
    async def test_passing_faults(self, connect, fault):
        told = []
        with ModelServer(in_turn(fault, fault, "at last")) as server:
            client = connect(server, on_retry=lambda reason, wait: told.append((reason, wait)))
            response = await client.complete(ask())
            assert len(server.requests) == 3
        assert response.choices[0].text == "at last"
        assert response.attempts == 3
        assert [wait for _, wait in told] == client.clock.waits
        assert 0.5 <= told[0][1] <= 1.0 <= told[1][1] <= 2.0
        assert all(reason for reason, _ in told)

    async def test_refused_connections(self, connect):
        told = []
        client = connect(_nobody(), on_retry=lambda reason, _wait: told.append(reason))
        with pytest.raises(ModelUnavailable) as caught:
            await client.complete(ask())
        assert "attempts in" in caught.value.message
        assert "Start the server" in caught.value.hint
        assert "continues where it stopped" in caught.value.hint
        assert 540 < client.clock.time <= 600
        assert len(told) > 15
        assert max(client.clock.waits) <= 30

    async def test_timeouts(self, connect):
        with ModelServer(in_turn(HANG, "x")) as server:
            response = await connect(server, timeout_s=0.2).complete(ask())
        assert response.attempts == 2

    async def test_a_dribbling_server_times_out(self, connect):
        slow = Raw(completion(["x"]), chunk_pause_s=0.15)
        with ModelServer(in_turn(slow, "x")) as server:
            response = await connect(server, timeout_s=0.3).complete(ask())
        assert response.attempts == 2

    async def test_retry_after(self, connect):
        with ModelServer(in_turn(retry_after("7"), "x")) as server:
            client = connect(server)
            await client.complete(ask())
        assert 7 <= client.clock.waits[0] <= 8

    async def test_retry_after_beyond_the_budget(self, connect):
        with ModelServer(lambda body: retry_after("3600")) as server:
            client = connect(server, retry_budget_s=60)
            with pytest.raises(ModelUnavailable, match="asks to wait 3600 s"):
                await client.complete(ask())
            assert len(server.requests) == 1
        assert client.clock.waits == []

    async def test_budget_in_real_time(self):
        client = OpenAIClient(_nobody(), retry_budget_s=0.7)
        async with asyncio.timeout(HANG_S):
            with pytest.raises(ModelUnavailable):
                await client.complete(ask())
        await client.close()

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (refuse(400, "too long", code="context_length_exceeded"), ContextExceeded),
            (refuse(400, "bad 'response_format'"), RequestRejected),
            (refuse(422, "nonsense"), RequestRejected),
            (Raw({"hello": "world"}), RequestRejected),
            (refuse(401, "no"), ModelRefused),
            (refuse(403, "no"), ModelRefused),
            (refuse(402, "Insufficient Balance"), ModelRefused),
            (refuse(429, "exceeded", code="insufficient_quota"), ModelRefused),
            (refuse(400, "x", code="unsupported_parameter", param="max_tokens"), ModelRefused),
            (html(200), ModelRefused),
            (Raw("OK", content_type="text/plain"), ModelRefused),
            (Raw("404 page not found", status=404), ModelRefused),
        ],
    )
    async def test_lasting_faults_are_not_tried_again(self, connect, fault, error):
        with ModelServer(lambda body: fault) as server:
            client = connect(server)
            with pytest.raises(error):
                await client.complete(ask())
            assert len(server.requests) == 1
        assert client.clock.waits == []


class TestRefused:
    async def test_unknown_model_names_the_others(self, connect):
        answer = refuse(404, "The model `mock` does not exist.", type="NotFoundError")
        with (
            ModelServer(lambda body: answer, models=["qwen-32b", "mocha"]) as server,
            pytest.raises(ModelRefused, match=r"no model 'mock'.*it has: mocha, qwen-32b"),
        ):
            await connect(server).complete(ask())

    async def test_web_page(self, connect):
        with pytest.raises(ModelRefused, match="answers with a web page") as caught:
            await complete(connect, lambda body: html())
        assert "end in /v1" in caught.value.hint

    async def test_wrong_path(self, connect):
        with ModelServer(lambda body: "x") as server:
            client = connect(server.base_url.removesuffix("/v1") + "/api")
            server._answer = lambda body: Raw({"detail": "Not Found"}, status=404)
            with pytest.raises(ModelRefused, match="no chat completions at") as caught:
                await client.complete(ask())
        assert "/v1" in caught.value.hint

    async def test_key(self, connect, monkeypatch):
        answer = refuse(401, "wrong key")
        with pytest.raises(ModelRefused, match="asks for a key, and OPENAI_API_KEY is not set"):
            await complete(connect, lambda body: answer)
        monkeypatch.setenv("OPENAI_API_KEY", "k" * 20)
        with pytest.raises(ModelRefused, match="refuses the key in OPENAI_API_KEY"):
            await complete(connect, lambda body: answer)

    async def test_https_to_an_http_server(self, connect):
        with ModelServer(lambda body: "x") as server:
            client = connect(server.base_url.replace("http:", "https:"))
            with pytest.raises(ModelRefused, match="no secure connection"):
                await client.complete(ask())

    async def test_long_messages_are_cut(self, connect):
        with pytest.raises(RequestRejected) as caught:
            await complete(connect, lambda body: refuse(400, "no \x1b[31m\n" * 10_000))
        assert len(str(caught.value)) < 600
        assert "\x1b" not in str(caught.value)
        assert "\n" not in str(caught.value)


class TestLifetime:
    async def test_cancelling_gives_up_the_connection(self, connect):
        with ModelServer(in_turn(HANG, "x")) as server:
            client = connect(server)
            task = asyncio.create_task(client.complete(ask()))
            await asyncio.to_thread(server.arrived.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await client.complete(ask())).choices[0].text == "x"

    async def test_cancelling_while_waiting(self, connect):
        with ModelServer(lambda body: refuse(503, "loading")) as server:
            client = connect(server, sleep=asyncio.sleep, now=time.monotonic)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.complete(ask())

    async def test_close_leaves_nothing_open(self):
        with ModelServer(lambda body: "x") as server:
            client = OpenAIClient(server.base_url)
            await asyncio.gather(*(client.complete(ask()) for _ in range(8)))
            await client.close()
            await eventually_async(lambda: not server._connections)
        del client
        gc.collect()

    async def test_close_without_use(self):
        client = OpenAIClient("http://127.0.0.1:1/v1")
        await client.close()
        with pytest.raises(ModelUnavailable):
            await client.check("mock")


def _nobody():
    """A URL on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


def test_the_server_sees_what_was_sent():
    """The stand-in itself: its record is what the other tests trust."""
    with ModelServer(lambda body: "x") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            body = json.dumps({"model": "m", "messages": []}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            raw.sendall(head.encode() + body)
            assert raw.recv(100).startswith(b"HTTP/1.1 200 OK")
        assert server.requests == [{"model": "m", "messages": []}]
