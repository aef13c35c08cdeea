"""The model server: whether it answers, has the model, and holds what a run sends."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import ModelError
from runs.doctor.check import MODEL, bad, failed, fine, less, unknown

if TYPE_CHECKING:
    from agent.model import ModelClient, Response, ServerFacts
    from runs.doctor.check import Finding
    from runs.run.config import Config

LIMIT_S = 30.0
CALL_LIMIT_S = 120.0
"""With a reply: a model may have to be loaded first."""

_TINY_TOKENS = 16
_SLOW_S = 5.0


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What a server said of a model."""

    model: str
    facts: ServerFacts
    seconds: float


def is_asked_for(config: Config) -> bool:
    """Whether the configuration names a model or a server."""
    return bool(config.model.name or config.model.base_url)


def look_at_model(config: Config, *, call: bool) -> list[Finding]:
    """The server and its model; `call`: ask for a reply, too."""
    if not is_asked_for(config):
        return [unknown("model", "model server: not checked", "Give --model M and --base-url URL.")]
    return asyncio.run(_look(config, call=call))


async def _look(config: Config, *, call: bool) -> list[Finding]:
    from agent.openai_client import OpenAIClient

    settings = config.model
    found = [about_key(settings.api_key_env, given=bool(os.environ.get(settings.api_key_env)))]
    # Construction refuses OpenAI's own server without a key, and malformed addresses.
    client = None
    try:
        client = OpenAIClient(
            settings.base_url,
            settings.api_key_env,
            timeout_s=CALL_LIMIT_S,
            retry_budget_s=0,
            max_tokens_field=settings.max_tokens_field,
        )
        await _ask(client, config, found, call=call)
    except ModelError as error:
        found.append(failed("model", error, MODEL))
    finally:
        if client is not None:
            await client.close()
    return found


async def _ask(client: ModelClient, config: Config, found: list[Finding], *, call: bool) -> None:
    """Add to `found`, so that what is known is kept if the server then refuses something."""
    if not config.model.name:
        found.append(await _without_name(client))
        return
    for name in dict.fromkeys(filter(None, [config.model.name, config.context.model])):
        began = time.monotonic()
        facts = await client.check(name)
        found.append(about_server(ServerAnswer(name, facts, time.monotonic() - began)))
        if name == config.model.name:
            found.append(about_context(facts, config))
    if call:
        found.append(await _completion(client, config))


async def _without_name(client: ModelClient) -> Finding:
    """A server is named, but no model: the server's refusal says which it has."""
    try:
        await client.check("")
    except ModelError as error:
        if "has no model ''; it has: " not in error.message:
            raise
        has = error.message.partition("it has: ")[2]
        return less(
            "model", f"the model server answers; it has: {has}", "Name one of them with --model."
        )
    return less("model", "the model server answers, but lists no models", "Give --model M.")


async def _completion(client: ModelClient, config: Config) -> Finding:
    from agent.model import ContextExceeded, Message, ModelRequest, RequestRejected

    request = ModelRequest(
        trajectory="doctor",
        turn=0,
        model=config.model.name,
        messages=(Message("user", "Say yes."),),
        temperature=config.samples.temperature,
        max_tokens=_TINY_TOKENS,
    )
    try:
        return about_completion(await client.complete(request))
    except (ContextExceeded, RequestRejected) as error:
        return bad(
            "model.call",
            f"a reply was refused: {error}",
            "Look at model.max_tokens_field and samples.temperature in your settings.",
            MODEL,
        )


def about_key(variable: str, *, given: bool) -> Finding:
    """What to say about the key, which is never shown."""
    if given:
        return fine("model.key", f"{variable} is set")
    return fine("model.key", f"{variable} is not set: fine if the server asks for no key")


def about_server(answer: ServerAnswer) -> Finding:
    """What to say about a server that has the model."""
    took = f"in {answer.seconds:.2f} s"
    if not answer.facts.models:
        text = f"the model server answers {took}, but does not list its models"
        return less("model", text, f"To see whether it has {answer.model}, add --call.")
    text = f"the model server answers {took} and has {answer.model}"
    if answer.seconds > _SLOW_S:
        return less("model", f"{text}; that is slow", "Is it busy, or far away?")
    return fine("model", text)


def about_context(facts: ServerFacts, config: Config) -> Finding:
    """What to say about the length of the model's context."""
    name = "model.context"
    holds = facts.context_tokens
    replies = 2 * config.samples.editing_max_tokens
    wanted = config.context.tokens + replies
    asked = f"{config.context.tokens:,} of context and {replies:,} of replies"
    if holds is None:
        text = f"the server does not say how many tokens the model takes; needed: {asked}"
        return unknown(name, text, f"If it takes fewer than {wanted:,}, give --context-tokens.")
    if wanted > holds:
        fitting = max(holds - replies, 1000)
        text = f"the model takes {holds:,} tokens; needed: {asked}, so samples may not fit"
        return less(name, text, f"Give --context-tokens {fitting}, or serve the model with more.")
    return fine(name, f"the model takes {holds:,} tokens; needed: {asked}")


def about_completion(response: Response) -> Finding:
    """What to say about a reply."""
    text = f"a reply took {response.duration_s:.2f} s"
    if response.usage is None:
        return less(
            "model.call",
            f"{text}; the server does not count tokens",
            "Costs will be unknown; look for a setting of the server that reports usage.",
        )
    used = response.usage
    counted = f"{used.prompt_tokens} tokens read, {used.completion_tokens} written"
    return fine("model.call", f"{text}: {counted}")
