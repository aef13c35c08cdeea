"""Read what a model's reply asks for. An unreadable reply raises words for the model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.model import Choice, Finish

if TYPE_CHECKING:
    from collections.abc import Container


class Unreadable(Exception):
    """The reply is not in the format; the message tells the model what to fix."""

    def __init__(self, reason: str, *, prompt: str = "unreadable") -> None:
        super().__init__(reason)
        self.prompt = prompt
        """The name of the prompt that tells the model."""


_OPEN = re.compile(r"^[ \t]*<test_script>[ \t]*(?=\S|$)", re.MULTILINE)
_CLOSE = re.compile(r"</test_script>[ \t]*$", re.MULTILINE)
_DONE = re.compile(r"^[ \t]*(?:<done\s*/>|<done>\s*</done>)[ \t]*$", re.MULTILINE)
_CHOOSE = re.compile(r"<choose>\s*(?:candidate\s+)?([A-Za-z])\s*</choose>", re.IGNORECASE)
_RELEVANT = re.compile(r"<relevant>\s*(yes|no)\s*</relevant>", re.IGNORECASE)
_BULLET = re.compile(r"^(?:[-*]|\d{1,4}[.)])\s+")


def require_whole(choice: Choice) -> str:
    """The reply's text.

    Raises:
        Unreadable: the reply is empty, or was cut at the limit on its length.
    """
    if choice.finish is Finish.LENGTH:
        raise Unreadable(
            "Your reply was cut because it reached the limit on its length, so nothing of it was"
            " used. Answer again, shorter: reason less and write only what the format asks for."
        )
    if choice.finish is Finish.FILTERED:
        raise Unreadable("Your reply was stopped by a content filter. Answer again, differently.")
    if not choice.text.strip():
        raise Unreadable("Your reply was empty.")
    return choice.text


def find_script(text: str) -> str | None:
    """The script in the reply, ending in a newline, or None.

    Raises:
        Unreadable: a script tag that is not closed, several scripts, or an empty one.
    """
    script, _ = split_script(text)
    return script


def split_script(text: str) -> tuple[str | None, str]:
    """The script in the reply and the reply without it.

    Raises:
        Unreadable: as `find_script`.
    """
    opened = list(_OPEN.finditer(text))
    if not opened:
        return None, text
    if len(opened) > 1:
        raise Unreadable("Your reply has several <test_script> tags. Write exactly one script.")
    start = opened[0].end()
    closed = list(_CLOSE.finditer(text, start))
    if not closed:
        raise Unreadable(
            "The <test_script> tag is never closed."
            " Write </test_script> on a line of its own after the script."
        )
    last = closed[-1]
    return _clean_script(text[start : last.start()]), text[: opened[0].start()] + text[last.end() :]


def find_fenced_script(text: str, fences: Container[str]) -> str | None:
    """The only fenced block of a reply without tags, which must be meant as the script.

    `fences`: Markdown's names for the script's language. A block with another
    name does not count.
    """
    blocks = [body for name, body in _fenced(text) if not name or name in fences]
    return _clean_script(blocks[0]) if len(blocks) == 1 else None


def _fenced(text: str) -> list[tuple[str, str]]:
    """The contents of closed Markdown fences, each with its lowercase name."""
    blocks: list[tuple[str, str]] = []
    inside: list[str] | None = None
    name = ""
    for line in text.splitlines(keepends=True):
        if inside is None and line.startswith("```"):
            inside, name = [], line.strip("`").strip().lower()
        elif inside is not None and line.rstrip() == "```":
            blocks.append((name, "".join(inside)))
            inside = None
        elif inside is not None:
            inside.append(line)
    return blocks


def _between(text: str, tag: str) -> str | None:
    """What stands between the first <tag> and the next </tag>, in either case."""
    lower = text.lower()
    start = lower.find(f"<{tag}>")
    end = lower.find(f"</{tag}>", start)
    return text[start + len(tag) + 2 : end] if 0 <= start < end else None


def _clean_script(body: str) -> str:
    lines = body.strip().splitlines(keepends=True)
    fenced = len(lines) > 1 and lines[0].startswith("```") and lines[-1].rstrip() == "```"
    body = "".join(lines[1:-1]) if fenced else body.strip("\n")
    if not body.strip():
        raise Unreadable("The script is empty.")
    return body.rstrip() + "\n"


def says_done(text: str) -> bool:
    """Whether the reply has <done/> on a line of its own."""
    return bool(_DONE.search(text))


def find_choice(text: str, letters: str) -> str | None:
    """The chosen candidate's letter, or None.

    Raises:
        Unreadable: there is no such candidate, or several are chosen.
    """
    chosen = {str(letter).upper() for letter in _CHOOSE.findall(text)}
    if not chosen:
        return None
    if len(chosen) > 1:
        raise Unreadable("Your reply chooses several candidates. Choose exactly one.")
    letter: str = chosen.pop()
    if letter not in letters:
        raise Unreadable(
            f"There is no candidate {letter}. The candidates are {', '.join(letters)}."
        )
    return letter


@dataclass(frozen=True, slots=True)
class Relevance:
    """What the model says of one file."""

    relevant: bool
    summary: str


def read_relevance(choice: Choice) -> Relevance:
    """The verdict on one file.

    Raises:
        Unreadable: no verdict in the reply.
    """
    text = require_whole(choice)
    verdicts = {verdict.lower() for verdict in _RELEVANT.findall(text)}
    if len(verdicts) != 1:
        raise Unreadable("Say exactly one of <relevant>yes</relevant> and <relevant>no</relevant>.")
    summary = _between(text, "summary")
    return Relevance(
        relevant=verdicts == {"yes"},
        summary=" ".join(summary.split()) if summary else "",
    )


def read_ranking(choice: Choice, paths: frozenset[str]) -> list[str]:
    """The known paths of a ranking, most relevant first, each once.

    Raises:
        Unreadable: no ranking, or one without any known path.
    """
    text = require_whole(choice)
    found = _between(text, "ranking")
    if found is None:
        raise Unreadable("Write the paths inside <ranking> and </ranking>, one to a line.")
    lines = [_BULLET.sub("", line.strip(), count=1).strip("` ") for line in found.splitlines()]
    ranked = list(dict.fromkeys(line for line in lines if line in paths))
    if not ranked:
        raise Unreadable("None of the paths in your ranking is in the list. Copy them exactly.")
    return ranked
