"""No key leaves by any door: messages, hints, reprs, chains, tracebacks, logs."""

import logging
import traceback

import pytest

from agent.model import Message, ModelRefused, ModelRequest
from agent.openai_client import OpenAIClient
from agent.openai_client.address import address
from tests.support.model_server import ModelServer, Raw

KEY = "sk-proj-Tr0ub4dor-correct-horse-battery-staple"
REQUEST = ModelRequest("t", 0, "mock", (Message("user", "hi"),), 0.5, 10)


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def _traces(error):
    yield "".join(traceback.format_exception(error))
    seen = [error]
    while (below := seen[-1].__cause__ or seen[-1].__context__) is not None:
        seen.append(below)
    for one in seen:
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 413, 418, 422, 429, 500, 503])
@pytest.mark.parametrize("form", ["json", "text", "html"])
async def test_a_server_that_echoes_the_key(status, form, caplog):
    caplog.set_level(logging.DEBUG)
    reasons = []

    def answer(_body):
        echo = server.seen[-1].headers["authorization"]
        words = f"bad header Authorization: {echo}; key {KEY!r} model {KEY[:9]}*** {KEY[-9:]}"
        if form == "json":
            return Raw({"error": {"message": words, "code": KEY, "type": "x"}}, status=status)
        if form == "html":
            page = f"<html><title>{words}</title></html>"
            return Raw(page, status=status, content_type="text/html")
        return Raw(words, status=status, content_type="text/plain")

    with ModelServer(answer, models=[KEY, "other"]) as server:
        url = server.base_url.replace("://", "://user:hunter2-hunter2@")
        for base in (server.base_url, url):
            client = OpenAIClient(
                base, retry_budget_s=0.6, on_retry=lambda reason, _wait: reasons.append(reason)
            )
            with pytest.raises(Exception, match=r".") as caught:
                await client.complete(REQUEST)
            with pytest.raises(ModelRefused) as checked:
                await client.check("mock")
            await client.close()
            shown = [*_traces(caught.value), *_traces(checked.value), *reasons, repr(client)]
            shown += [getattr(caught.value, "hint", ""), repr(client._address), caplog.text]
            for secret in (KEY, KEY[:9], KEY[-9:], "hunter2", "dXNlcjpodW50ZXIyL"):
                assert not [text for text in shown if secret in text]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key abcdefgh12345678 is bad", "key *** is bad"),
        ("key abcdefgh**** is bad", "key *** is bad"),
        ("key ****12345678 is bad", "key *** is bad"),
        ("Incorrect API key provided: sk-abc1***wxyz.", "Incorrect API key provided: ***"),
        ("Authorization: Bearer abc123", "Authorization: Bearer ***"),
        ("Bearer authentication is needed", "Bearer authentication is needed"),
        ("at http://me:pw@host/v1?x=1", "at http://***@host/v1?x=1"),
        ("at http://host/v1?api_key=abc&x=1", "at http://host/v1?api_key=***&x=1"),
        ("nothing here", "nothing here"),
    ],
)
def test_scrub(text, shown, monkeypatch):
    monkeypatch.setenv("MY_KEY", "abcdefgh12345678")
    assert address("http://host/v1", "MY_KEY").scrub(text) == shown


def test_short_keys_are_placeholders(monkeypatch):
    monkeypatch.setenv("MY_KEY", "x")
    scrub = address("http://host/v1", "MY_KEY").scrub
    assert scrub("exactly what x said") == "exactly what *** said"


def test_no_key_where_one_is_needed(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    for url in (None, "https://api.openai.com/v1/"):
        with pytest.raises(ModelRefused, match="OPENAI_API_KEY is not set") as caught:
            OpenAIClient(url)
        assert "Set OPENAI_API_KEY" in caught.value.hint
    with pytest.raises(ModelRefused, match="MY_KEY"):
        OpenAIClient(None, "MY_KEY")
    assert repr(OpenAIClient("https://llm.example.org/v1")).endswith("example.org/v1')")


@pytest.mark.parametrize("key", ["two words", "naïve-key-1234", "line\nbreak"])
def test_keys_that_no_header_can_carry(key, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ModelRefused) as caught:
        OpenAIClient(None)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://host/v1", "http://", "//host", "http://h:99999/v1", "x y"]
)
def test_urls_that_are_none(url):
    with pytest.raises(ModelRefused, match="not an http") as caught:
        OpenAIClient(url)
    assert "http://" in caught.value.hint


def test_a_bad_url_keeps_its_password():
    with pytest.raises(ModelRefused) as caught:
        OpenAIClient("ftp://me:hunter2@host/v1")
    assert "hunter2" not in str(caught.value)
