"""Asking a server what it is before work begins."""

import asyncio
import socket

import pytest

from agent.model import ModelRefused, ModelUnavailable
from agent.openai_client import OpenAIClient
from tests.support.model_server import RESET, ModelServer, Raw, html, refuse


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


async def check(server, model="mock"):
    client = OpenAIClient(server.base_url, sleep=lambda _seconds: asyncio.sleep(0))
    try:
        return await client.check(model)
    finally:
        await client.close()


class TestCheck:
    async def test_facts(self):
        with ModelServer(lambda body: "x", models=["mock", "b"], max_model_len=4096) as server:
            facts = await check(server)
        assert facts.models == ("mock", "b")
        assert facts.context_tokens == 4096

    async def test_nobody_there(self):
        waits = []

        async def sleep(seconds):
            waits.append(seconds)

        client = OpenAIClient(_nobody(), sleep=sleep)
        with pytest.raises(ModelUnavailable, match=r"no model server at http://127\.0\.0\.1"):
            await client.check("mock")
        assert sum(waits) < 2
        await client.close()

    async def test_missing_model(self):
        names = [f"m{number}" for number in range(40)] + ["qwen-coder-32b"]
        with (
            ModelServer(lambda body: "x", models=names) as server,
            pytest.raises(ModelRefused) as caught,
        ):
            await check(server, "qwen-coder")
        assert "it has: qwen-coder-32b, m0," in caught.value.message
        assert "and 31 more" in caught.value.message

    @pytest.mark.parametrize(
        ("model", "listed"),
        [
            ("qwen", "qwen:latest"),
            ("gemini-pro", "models/gemini-pro"),
            ("vendor/model:nitro", "vendor/model"),
        ],
    )
    async def test_other_spellings(self, model, listed):
        with ModelServer(lambda body: "x", models=[listed], max_model_len=9) as server:
            assert (await check(server, model)).context_tokens == 9

    @pytest.mark.parametrize(
        "answer",
        [
            Raw({"detail": "Not Found"}, status=404),
            html(404),
            Raw("", status=405),
            refuse(501, "not here"),
            refuse(400, "no"),
            refuse(429, "slow down"),
            Raw("[]"),
            Raw("OK", content_type="text/plain"),
            Raw({"data": "none"}),
            Raw({"data": [1, {"id": 2}, {}]}),
            Raw({"object": "list", "data": None}),
            refuse(403, "You have insufficient permissions. Missing scopes: api.model.read."),
            refuse(401, "x-api-key header is required"),
        ],
    )
    async def test_servers_that_do_not_list(self, answer):
        with ModelServer(lambda body: "x", models=answer) as server:
            facts = await check(server)
        assert facts.models == ()
        assert facts.context_tokens is None

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (refuse(401, "wrong key"), ModelRefused),
            (refuse(403, "not your country"), ModelRefused),
            (html(200), ModelRefused),
            (refuse(503, "Loading model"), ModelUnavailable),
            (RESET, ModelUnavailable),
        ],
    )
    async def test_refusals(self, answer, error):
        with ModelServer(lambda body: "x", models=answer) as server:
            with pytest.raises(error):
                await check(server)
            assert len(server.seen) == (2 if error is ModelUnavailable else 1)


def _nobody():
    """A URL on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
