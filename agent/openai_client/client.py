"""`OpenAIClient`: a request goes out; a response or one of four errors comes back."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from agent.model import (
    ContextExceeded,
    ModelRefused,
    ModelRequest,
    ModelUnavailable,
    RequestRejected,
    Response,
    ServerFacts,
)
from agent.openai_client.address import address
from agent.openai_client.completions import read_completion
from agent.openai_client.failures import SUCCESS, Failure, FailureKind, tell_apart
from agent.openai_client.models import Served, read_models
from agent.openai_client.retry import GivenUp, OnRetry, Patience, TryAgain, retry_after_s
from agent.openai_client.transport import HttpReply, Loss, Lost, Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

CHECK_S = 10.0
CHECK_WAIT_S = 0.5

_RESUME = "the same command continues where it stopped."
_V1 = "The base URL should usually end in /v1."
_NOT_FOR_THE_LIST = re.compile(r"missing scopes|insufficient permissions|x-api-key|anthropic-")
"""Refusals that only concern the list of models: restricted keys, other headers."""


class OpenAIClient:
    """A `ModelClient` for any OpenAI-compatible server, used within one event loop.

    - `base_url` usually ends in /v1; None: OPENAI_BASE_URL, or else OpenAI's own.
    - `api_key_env`: the environment variable with the key. Where it is
      not set, servers other than OpenAI's get "none".
    - `timeout_s`: seconds for one attempt, from sending to the last byte.
    - `retry_budget_s`: seconds, from the first failure of a call, within which it is retried.
    - `max_tokens_field`: what the server calls the limit on completion tokens.
    - `extra_body`: further fields of every request.
    - `on_retry`: called with the reason and the seconds of each wait. May be set later.

    Construction raises `ModelRefused` if the URL cannot be used, or OpenAI's server lacks a key.
    """

    def __init__(
        self,
        base_url: str | None,
        api_key_env: str = "OPENAI_API_KEY",
        *,
        timeout_s: float = 600,
        retry_budget_s: float = 600,
        max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens",
        extra_body: Mapping[str, object] = MappingProxyType({}),
        on_retry: OnRetry | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_retry = on_retry
        self._address = address(base_url, api_key_env)
        self._transport = Transport(self._address, timeout_s=timeout_s)
        self._retry_budget_s = retry_budget_s
        self._max_tokens_field = max_tokens_field
        self._extra_body = dict(extra_body)
        self._sleep = sleep
        self._now = now

    def __repr__(self) -> str:
        return f"OpenAIClient({self._address.shown!r})"

    async def complete(self, request: ModelRequest) -> Response:
        """One call; see `ModelClient.complete`."""
        patience = Patience(
            self._retry_budget_s, on_retry=self.on_retry, sleep=self._sleep, now=self._now
        )
        try:
            response = await patience.run(lambda: self._attempt(request, request.n))
        except GivenUp as given_up:
            error = self._unavailable(given_up)
        else:
            return replace(response, attempts=patience.attempts)
        raise error

    async def check(self, model: str) -> ServerFacts:
        """See `ModelClient.check`. Asks twice at most, 10 s each."""
        reply = await self._transport.models(CHECK_S)
        if _may_pass(reply):
            await self._sleep(CHECK_WAIT_S)
            reply = await self._transport.models(CHECK_S)
        if isinstance(reply, Lost):
            raise self._untrusted(reply) or self._absent(reply.reason)
        served = read_models(reply.body) if reply.status in SUCCESS else None
        if served is None:
            self._judge_unlisted(_failure(reply))
            return ServerFacts()
        name = served.find(model)
        if name is None and served.lengths:
            raise self._unknown_model(model, served)
        return ServerFacts(tuple(served.lengths), served.lengths[name] if name else None)

    async def close(self) -> None:
        """Give back connections."""
        await self._transport.close()

    async def _attempt(self, request: ModelRequest, n: int) -> Response:
        started = self._now()
        reply = await self._transport.complete(self._fields(request, n))
        if isinstance(reply, Lost):
            raise self._untrusted(reply) or TryAgain(self._address.quote(reply.reason))
        if reply.status in SUCCESS:
            completion = read_completion(reply.body, n)
            if completion is not None:
                return Response(completion.choices, completion.usage, self._now() - started)
        failure = _failure(reply, n)
        match failure.kind:
            case FailureKind.AGAIN:
                raise TryAgain(self._says(failure), after_s=retry_after_s(reply.headers))
            case FailureKind.ONE_CHOICE:
                return await self._attempt(request, 1)
            case FailureKind.CONTEXT:
                error: Exception = ContextExceeded(self._says(failure))
            case FailureKind.REQUEST:
                error = RequestRejected(self._says(failure))
            case FailureKind.MODEL:
                error = self._unknown_model(
                    request.model, await self._served(), self._says(failure)
                )
            case _:
                error = self._refusal(failure)
        raise error

    def _fields(self, request: ModelRequest, n: int) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
            self._max_tokens_field: request.max_tokens,
        }
        if request.temperature is not None:
            fields["temperature"] = request.temperature
        if n > 1:
            fields["n"] = n
        if self._extra_body:
            fields["extra_body"] = self._extra_body
        return fields

    async def _served(self) -> Served | None:
        reply = await self._transport.models(CHECK_S)
        if isinstance(reply, Lost) or reply.status not in SUCCESS:
            return None
        return read_models(reply.body)

    def _says(self, failure: Failure) -> str:
        words = self._address.quote(failure.says)
        return f"HTTP {failure.status}: {words}" if words else f"HTTP {failure.status}"

    def _refusal(self, failure: Failure) -> ModelRefused:
        url, env = self._address.shown, self._address.key_env
        says = self._says(failure)
        match failure.kind:
            case FailureKind.KEY if self._address.has_key:
                message, hint = f"{url} refuses the key in {env}", f"Set {env} to another key."
            case FailureKind.KEY:
                message, hint = f"{url} asks for a key, and {env} is not set", f"Set {env}."
            case FailureKind.CREDIT:
                message = f"The account at {url} has no credit left"
                hint = f"Add credit, or wait until it is renewed: {_RESUME}"
            case FailureKind.PARAMETER:
                message = f"{url} refuses a parameter that every request has"
                hint = "In its settings, change the field for max tokens or the temperature."
            case FailureKind.PATH:
                message = f"There are no chat completions at {url}/chat/completions"
                hint = _V1
            case _:
                message = f"{url} answers, but not like a model server"
                hint = f"Check the address. {_V1}"
                if failure.is_page:
                    message = f"{url} answers with a web page"
        return ModelRefused(f"{message} ({says}).", hint=hint)

    def _judge_unlisted(self, failure: Failure) -> None:
        """Raise if a failed listing shows that no call can succeed."""
        match failure.kind:
            case FailureKind.AGAIN if failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise self._absent(self._says(failure))
            case FailureKind.KEY if _NOT_FOR_THE_LIST.search(failure.says.lower()):
                return
            case FailureKind.KEY | FailureKind.CREDIT:
                raise self._refusal(failure)
            case FailureKind.PAGE if failure.is_page:
                raise self._refusal(failure)

    def _untrusted(self, lost: Lost) -> ModelRefused | None:
        if lost.loss is not Loss.UNTRUSTED:
            return None
        return ModelRefused(
            f"There is no secure connection to {self._address.shown}:"
            f" {self._address.quote(lost.reason)}",
            hint="Check http or https in the base URL, or set SSL_CERT_FILE to its certificate.",
        )

    def _unknown_model(self, model: str, served: Served | None, says: str = "") -> ModelRefused:
        message = f"{self._address.shown} has no model {model!r}" + (f" ({says})" if says else "")
        if served is None or not served.lengths:
            return ModelRefused(f"{message}.", hint="Look up the model's name on its server.")
        names = self._address.scrub(served.suggest(model))
        return ModelRefused(f"{message}; it has: {names}", hint="Use one of these names.")

    def _absent(self, reason: str) -> ModelUnavailable:
        url = self._address.shown
        return ModelUnavailable(
            f"There is no model server at {url}: {self._address.quote(reason)}",
            hint="Start the server, or check the base URL.",
        )

    def _unavailable(self, given_up: GivenUp) -> ModelUnavailable:
        url, last = self._address.shown, given_up.last
        tries = "1 attempt" if given_up.attempts == 1 else f"{given_up.attempts} attempts"
        asked = "" if last.after_s is None else f"; the server asks to wait {last.after_s:.0f} s"
        return ModelUnavailable(
            f"There was no reply from {url} after {tries} in {given_up.spent_s:.0f} s. The last"
            f" attempt: {last.reason}{asked} (retry budget: {self._retry_budget_s:g} s).",
            hint=f"Start the server, or check the base URL: {_RESUME}",
        )


def _may_pass(reply: HttpReply | Lost) -> bool:
    if isinstance(reply, Lost):
        return reply.loss in {Loss.CUT, Loss.TIMEOUT}
    return _failure(reply).kind is FailureKind.AGAIN


def _failure(reply: HttpReply, n: int = 1) -> Failure:
    text = reply.body.decode("utf-8", "replace")
    return tell_apart(reply.status, text, content_type=reply.content_type, n=n)
