"""One HTTP exchange as a value.

No exception of `openai` or httpx leaves this file: they quote servers, and servers quote keys.
"""

from __future__ import annotations

import asyncio
import enum
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import openai

    from agent.openai_client.address import Address

CONNECT_S = 15.0
CONNECTIONS = 1024
KEEP_ALIVE_S = 4.0
"""Less than the 5 s of uvicorn (vLLM, SGLang), so that no request meets a closing connection."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A server's answer, of any status."""

    status: int
    headers: Mapping[str, str]
    """Names are found in any case."""
    body: bytes

    @property
    def content_type(self) -> str:
        """As sent, or empty."""
        return self.headers.get("content-type", "")


class Loss(enum.Enum):
    """How an exchange can end without an answer."""

    UNREACHABLE = enum.auto()
    """No connection could be made."""
    CUT = enum.auto()
    TIMEOUT = enum.auto()
    UNTRUSTED = enum.auto()
    """TLS failed in a way that trying again does not fix."""


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer."""

    loss: Loss
    reason: str


class Transport:
    """The connections to one server. `openai` is imported at the first use, within a loop."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._client: openai.AsyncOpenAI | None = None

    async def complete(self, fields: Mapping[str, Any]) -> HttpReply | Lost:
        """POST /chat/completions; `fields` are `create`'s keyword arguments."""
        create = self._open().chat.completions.with_raw_response.create
        try:
            return await self._exchange(lambda: create(**fields), self._timeout_s)
        except UnicodeEncodeError:
            # Files that are not UTF-8 can leave lone surrogates, which no JSON can carry.
            sendable = {**fields, "messages": [_encodable(one) for one in fields["messages"]]}
            return await self._exchange(lambda: create(**sendable), self._timeout_s)

    async def models(self, timeout_s: float) -> HttpReply | Lost:
        """GET /models."""
        listing = self._open().models.with_raw_response.list
        return await self._exchange(lambda: listing(timeout=timeout_s), timeout_s)

    async def close(self) -> None:
        """Give back all connections."""
        if self._client is not None:
            await self._client.close()

    async def _exchange(
        self, call: Callable[[], Awaitable[Any]], limit_s: float
    ) -> HttpReply | Lost:
        import openai  # here, because it takes most of a second

        try:
            # httpx limits the time between two bytes; a server that sends slowly must end too.
            async with asyncio.timeout(limit_s):
                response = (await call()).http_response
        except (openai.APITimeoutError, TimeoutError) as error:
            if type(error.__cause__).__name__ == "ConnectTimeout":
                return Lost(Loss.TIMEOUT, f"no connection within {min(CONNECT_S, limit_s):g} s")
            return Lost(Loss.TIMEOUT, f"no answer within {limit_s:g} s")
        except openai.APIConnectionError as error:
            return _lost(error)
        except openai.APIStatusError as error:
            response = error.response
        return HttpReply(response.status_code, response.headers, response.content)

    def _open(self) -> openai.AsyncOpenAI:
        if self._client is None:
            import openai  # here, because it takes most of a second

            # From httpx or httpx2, whichever this version of openai uses.
            limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_S,
            )
            timeout = openai.Timeout(self._timeout_s, connect=min(CONNECT_S, self._timeout_s))
            address = self._address
            self._client = openai.AsyncOpenAI(
                base_url=address.url,
                api_key=address.key,
                timeout=timeout,
                max_retries=0,
                default_headers={"Authorization": address.basic} if address.basic else None,
                # A proxy for the internet cannot reach this machine's own servers.
                http_client=openai.DefaultAsyncHttpxClient(
                    limits=limits, timeout=timeout, trust_env=not address.is_loopback
                ),
            )
        return self._client


def _encodable(message: Mapping[str, str]) -> dict[str, str]:
    return {name: text.encode("utf-8", "replace").decode() for name, text in message.items()}


def _lost(error: BaseException) -> Lost:
    """What ended a connection, from the chain of exceptions under openai's "Connection error."."""
    chain = [error]
    while (below := chain[-1].__cause__ or chain[-1].__context__) and below not in chain:
        chain.append(below)
    names = {type(one).__name__ for one in chain}
    reason = next((said for one in reversed(chain) if (said := str(one).strip())), "")
    for one in chain:
        if isinstance(one, OSError) and one.errno is not None and one.strerror:
            # asyncio replaces the system's text; TLS and look-ups use numbers of their own.
            is_system = type(one) is OSError or isinstance(one, ConnectionError)
            reason = os.strerror(one.errno) if is_system else one.strerror
    if "SSLCertVerificationError" in names or "WRONG_VERSION_NUMBER" in reason:
        return Lost(Loss.UNTRUSTED, reason)
    loss = Loss.UNREACHABLE if "ConnectError" in names else Loss.CUT
    return Lost(loss, reason or "the connection broke")
