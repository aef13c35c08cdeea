"""Which failure an answer is, from its status and body alone."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from http import HTTPStatus


class FailureKind(enum.Enum):
    """What to do about an answer that is not a completion."""

    AGAIN = enum.auto()
    """Another attempt may succeed."""
    CONTEXT = enum.auto()
    """The conversation is too long."""
    ONE_CHOICE = enum.auto()
    """The server gives only one choice per request."""
    REQUEST = enum.auto()
    """This request is refused; others may pass."""
    KEY = enum.auto()
    CREDIT = enum.auto()
    """There is no credit left, so waiting does not help."""
    MODEL = enum.auto()
    PARAMETER = enum.auto()
    """The model never accepts one of our parameters."""
    PATH = enum.auto()
    """Nothing answers at this path."""
    PAGE = enum.auto()
    """Something answers, but not a model server."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is not a completion."""

    kind: FailureKind
    status: int
    says: str
    """The server's words, of any length; must be scrubbed before they are shown."""
    is_page: bool = False
    """Whether the body is a web page."""


@dataclass(frozen=True, slots=True)
class _Words:
    """What an error body says, in any of the usual shapes."""

    message: str
    marks: str = ""
    """Its code, type and status."""
    code: int | None = None
    is_json: bool = True
    is_page: bool = False

    @property
    def all(self) -> str:
        # Some servers quote the whole prompt behind their first sentence, and a prompt may
        # be about error messages.
        return f"{self.marks} {self.message[:2000]}"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_CONTEXT = _any(
    r"context[ _](?:length|window|size|limit)[ _](?:is |has been |was )?exceed",
    r"exceed(?:s|ed|_|ing)? ?"
    r"(?:the |this |its |model |available |max(?:imum)? |model's |configured )*"
    r"(?:context|prompt length|sequence length)",
    r"context (?:window|size|length|limit) (?:exceed|overflow|is only|is \d)",
    r"context_(?:exceeded|overflow)|ContextWindowExceeded",
    r"max(?:imum)? (?:context|model|prompt|input|sequence) length",
    r"max_model_len|max_context_length|maximum context",
    r"(?:longer|greater|larger) than the (?:model'?s? |max(?:imum)? |available )*"
    r"(?:context|model length|input length)",
    r"longest (?:\w+ )?input",
    r"(?:prompt|input|request|conversation|messages?) (?:is|are|was|were)? ?too long",
    r"prompt_too_long|too many (?:input |prompt )?tokens|token limit exceeded",
    r"reduce the length of (?:the|your) (?:messages|input|prompt)",
    r"input tokens? (?:count )?(?:\(\d+\) )?exceed",
    r"(?:input|prompt) (?:length|token count)\W.{0,80}exceed",
    r"exceeds the maximum (?:allowed )?(?:input |prompt |number of (?:input )?tokens|length)",
    r"exceed(?:ed|s) model token limit",
    r"inputs`? (?:tokens \+|must have less than)",
    r"range of input length should be",
    r"prompt exceeds max length",
    r"n_keep.{0,40}n_ctx|tokens to keep from the initial prompt",
    r"max_tokens must be at least 1, got -",
)
_CREDIT = _any(
    r"insufficient[ _](?:quota|balance|credit|fund)",
    r"exceeded_current_quota|billing_(?:hard_limit|not_active)|credit balance is too low",
)
_NEVER_FITS_RATE = _any(r"request too large for")
_ONE_CHOICE = _any(
    r"only one completion choice",
    r"['\"`]n['\"`]",
    r"\bn (?:must|should) (?:be|equal)|\bn ?(?:> ?1|!= ?1)|\bn ?= ?1 is supported|parameter:? n\b",
    r"\bn must be at most|multiple (?:choices|completions)",
)
_MODEL_MARKS = (
    r"model[ _]?not[ _](?:found|exist)|(?:invalid|unknown|unsupported)[ _]model|no such model"
)
_MODEL = _any(
    _MODEL_MARKS,
    r"\bmodel\b.{0,200}?(?:does not exist|not exist|not found|is not a valid|not a valid model)",
    r"not a valid model|model name passed|model is not supported",
)
_MODEL_404 = _any(_MODEL_MARKS, r"\bmodels?\b|no endpoints found")
_PARAMETER = _any(
    r"unsupported[ _](?:parameter|value)",
    r"use '?max_completion_tokens'? instead",
)
_PAGE = re.compile(r"\s*(?:<!doctype html|<html|<\?xml|<head|<body)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)

SUCCESS = range(200, 300)
_ERROR = range(400, 600)
_ACCOUNT = frozenset({401, 402, 403, 429})
_REQUEST = frozenset({400, 413, 422})
_PASSING = frozenset({408, 409, 425, *range(500, 600)}) - {501, 505}


def tell_apart(status: int, body: str, *, content_type: str = "", n: int = 1) -> Failure:
    """Say what an answer means that is not a completion.

    `status` may be 2xx, if `body` could not be read as a completion. `n`: how many choices
    were asked for.
    """
    words = _read(body, content_type)
    if status in SUCCESS:
        return _despite_success(words, n)
    return Failure(_kind(status, words, n), status, words.message, words.is_page)


def _despite_success(words: _Words, n: int) -> Failure:
    if words.is_page:
        return Failure(FailureKind.PAGE, HTTPStatus.OK, words.message, is_page=True)
    if not words.is_json:
        if words.message[:1] in {"", "{", "["}:
            return Failure(FailureKind.AGAIN, HTTPStatus.OK, "the answer was cut on its way")
        return Failure(FailureKind.PAGE, HTTPStatus.OK, words.message)
    if not words.message and not words.marks:
        return Failure(FailureKind.REQUEST, HTTPStatus.OK, "JSON, but no chat completion")
    # Gateways wrap errors in a 200, with the status in a field.
    status = words.code or 0
    if status not in _ERROR:
        status = HTTPStatus.BAD_REQUEST
    return Failure(_kind(status, words, n), status, words.message)


def _kind(status: int, words: _Words, n: int) -> FailureKind:
    if status in _ACCOUNT:
        return _account_kind(status, words)
    if status == HTTPStatus.NOT_FOUND:
        about_model = _MODEL_404.search(words.all) and not words.is_page
        return FailureKind.MODEL if about_model else FailureKind.PATH
    if status in _REQUEST or status == HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = _in_words(words, n)
        if kind is not None:
            return kind
    if status in _REQUEST:
        return FailureKind.REQUEST
    return FailureKind.AGAIN if status in _PASSING else FailureKind.PATH


def _account_kind(status: int, words: _Words) -> FailureKind:
    if status == HTTPStatus.PAYMENT_REQUIRED or _CREDIT.search(words.all):
        return FailureKind.CREDIT
    if status != HTTPStatus.TOO_MANY_REQUESTS:
        return FailureKind.KEY
    return FailureKind.REQUEST if _NEVER_FITS_RATE.search(words.all) else FailureKind.AGAIN


def _in_words(words: _Words, n: int) -> FailureKind | None:
    """What only the words say: llama.cpp, for example, sends some of these with a 500."""
    if words.is_page:
        return None
    told = {
        FailureKind.CONTEXT: _CONTEXT,
        FailureKind.CREDIT: _CREDIT,
        FailureKind.ONE_CHOICE: _ONE_CHOICE if n > 1 else None,
        FailureKind.PARAMETER: _PARAMETER,
        FailureKind.MODEL: _MODEL,
    }
    return next(
        (kind for kind, words_of in told.items() if words_of and words_of.search(words.all)), None
    )


def _read(body: str, content_type: str) -> _Words:
    if _PAGE.match(body) or "html" in content_type.lower():
        title = _TITLE.search(body)
        page = f"a web page titled {title[1].strip()!r}" if title else "a web page"
        return _Words(page, is_json=False, is_page=True)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return _Words(body.strip(), is_json=False)
    if isinstance(data, list) and data:  # Gemini
        data = data[0]
    if not isinstance(data, dict):
        return _Words("")
    return _from_object(data)


def _from_object(data: dict[str, object]) -> _Words:
    error = data.get("error") or data
    if not isinstance(error, dict):
        error = {**data, "message": error}
    texts = [_text(error.get(name)) for name in ("message", "detail", "msg")]
    metadata = error.get("metadata")
    if isinstance(metadata, dict):  # OpenRouter: what its provider said
        texts.append(_text(metadata.get("raw")))
    marks = [_text(error.get(name)) for name in ("code", "type", "status", "param")]
    return _Words(
        ": ".join(text for text in texts if text),
        " ".join(mark for mark in marks if mark),
        next((int(mark) for mark in marks if mark.isascii() and mark.isdigit()), None),
    )


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case int() if not isinstance(value, bool):
            return str(value)
        case list():  # FastAPI: only `msg` of each, because `input` is the whole prompt
            items = [item.get("msg") for item in value if isinstance(item, dict)]
            return "; ".join(item for item in items if isinstance(item, str))
        case _:
            return ""
