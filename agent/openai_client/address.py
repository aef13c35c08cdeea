"""Where the server is and the key for it: what is sent, and what may be shown."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from agent.model import ModelRefused

HOSTED = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent to servers that need no key, because `openai` refuses to send none."""

_URL_HINT = "Write it like http://127.0.0.1:8000/v1."
_SHOWN = 500
_READ = 20_000
_SHORT_KEY = 12
_SECRETS = re.compile(
    r"(?P<scheme>\b(?:bearer|basic)\s+)(?=\S*[\d=_])[^\s\"',;]{4,}"
    r"|(?P<userinfo>://)[^/\s@\"']+@"
    r"|(?P<query>[?&](?:api[-_]?key|key|token)=)[^&\s\"']+"
    r"|\b(?:(?:sk|gsk|hf|xai|pplx|nvapi)[-_]|AIza)[\w*.\-]{6,}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base URL and its key. The key and user information are in no repr."""

    url: str
    """Without user information."""
    key: str = field(repr=False)
    key_env: str
    basic: str | None = field(default=None, repr=False)
    """The value of an Authorization header, from user information in the URL."""

    @property
    def shown(self) -> str:
        """The URL for people, without secrets."""
        return self.url.partition("?")[0]

    @property
    def has_key(self) -> bool:
        """Whether the environment has a key."""
        return self.key != NO_KEY

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine."""
        return _is_loopback(urlsplit(self.url).hostname or "")

    def scrub(self, text: str) -> str:
        """`text` without the key, parts of it, and other things that look like secrets."""
        if self.has_key:
            text = _key_pattern(self.key).sub("***", text)
        return _SECRETS.sub(_mask, text)

    def quote(self, text: str) -> str:
        """What a server said, for a message: scrubbed, on one line, at most 500 characters."""
        text = self.scrub(text[:_READ])
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def address(base_url: str | None, key_env: str) -> Address:
    """The server's address and key, from the configuration and the environment.

    Raises `ModelRefused` if the URL cannot be used, or a needed key is missing or unusable.
    """
    parts = _split(base_url or os.environ.get("OPENAI_BASE_URL") or HOSTED)
    key = os.environ.get(key_env, "").strip()
    if not key and parts.hostname == urlsplit(HOSTED).hostname:
        raise ModelRefused(
            f"There is no key for {HOSTED}: the environment variable {key_env} is not set.",
            hint=f"Set {key_env}, or give the base URL of another server.",
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ModelRefused(
            f"The key in {key_env} holds spaces or characters that no key has.",
            hint=f"Set {key_env} to the key alone.",
        )
    userinfo, _, host = parts.netloc.rpartition("@")
    url = parts._replace(netloc=host).geturl()
    basic = None
    if userinfo:
        basic = "Basic " + base64.b64encode(unquote(userinfo).encode()).decode("ascii")
    return Address(url=url, key=key or NO_KEY, key_env=key_env, basic=basic)


def _split(url: str) -> SplitResult:
    """The parts of a usable http(s) URL. Messages hold no userinfo: it may be a password."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        shown = _SECRETS.sub(_mask, url)
        raise ModelRefused(f"The base URL {shown!r} is not an http(s) address.", hint=_URL_HINT)
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key_pattern(key: str) -> re.Pattern[str]:
    whole = re.escape(key)
    if len(key) < _SHORT_KEY:
        # Short keys are placeholders ("x", "EMPTY"), so only whole words are masked.
        return re.compile(rf"(?<!\w){whole}(?!\w)")
    # Servers quote keys in part: "abcdefgh****", "...uvwxyz12".
    head, tail = re.escape(key[:8]), re.escape(key[-8:])
    return re.compile(rf"{whole}|{head}[\w*.\-]*|[\w*\-]*{tail}")


def _mask(match: re.Match[str]) -> str:
    kept = next((text for text in match.groups() if text), "")
    return kept + "***" + ("@" if match["userinfo"] else "")
