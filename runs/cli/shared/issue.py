"""What --issue names: a file, standard input, or the text itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from data.errors import UsageError
from data.instances.repository import MAX_ISSUE_BYTES, check_issue, issue_text

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_GITHUB = re.compile(r"https?://github\.com/[^/]+/[^/]+/(issues|pull)/\d+")
_FILE_NAME = re.compile(r"\S+( \S+){1,2}\.(md|markdown|txt|rst|html?|json|log)")
"""A name of a file with spaces in it, rather than a sentence."""


def given_issue(given: str) -> str | Path:
    """The issue's text, or the file that holds it.

    Raises:
        UsageError: it is none of these, or standard input cannot be an issue.
    """
    if given == "-":
        return _from_standard_input()
    if _URL.fullmatch(given.strip()):
        raise UsageError(
            f"{given.strip()} is a URL, which Troop does not fetch.", hint=_fetch(given)
        )
    if _exists(given):
        return Path(given)
    if len(given.split()) > 1 and not _FILE_NAME.fullmatch(given):
        check_issue(given, "The issue")
        return given
    if not given.strip():
        check_issue(given, "The issue")
    raise UsageError(
        f"There is no file {given}.",
        hint="Check the spelling; or give the issue's text itself in quotation marks, or - to read"
        " it from standard input.",
    )


def _from_standard_input() -> str:
    where = "Standard input"
    if sys.stdin is None:
        raise UsageError(f"{where} is closed.", hint="Give --issue a file or a text.")
    if sys.stdin.isatty():
        sys.stderr.write("Type the issue; end with Ctrl-D on a line of its own.\n")
    content = sys.stdin.buffer.read(MAX_ISSUE_BYTES + 1)
    if len(content) > MAX_ISSUE_BYTES:
        raise UsageError(
            f"{where} has more than {MAX_ISSUE_BYTES:,} bytes.",
            hint="Keep the description and the part of the log that shows the failure.",
        )
    return issue_text(content, where)


def _exists(given: str) -> bool:
    try:
        return bool(given.strip()) and Path(given).exists()
    except (OSError, ValueError):  # too long for a name, or with NUL characters
        return False


def _fetch(url: str) -> str:
    url = url.strip()
    get = f"curl -L {url}"
    if _GITHUB.fullmatch(url):
        get = f"gh issue view {url} --json title,body --jq '.title + \"\\n\\n\" + .body'"
    return f"Fetch it yourself: {get} | troop solve --repo . --issue -"
