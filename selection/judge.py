"""Model choice without tests: one look at the issue and the diffs, then a choice.

A baseline for voting and for the selection trajectory (CodeMonkeys, arXiv 2501.14723).
"""

from __future__ import annotations

import hashlib
from string import ascii_uppercase
from typing import TYPE_CHECKING

from agent.model import ContextExceeded, RequestRejected
from agent.phrases import replies_left
from agent.prompting import render
from agent.replies import Unreadable, find_choice, require_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.conversation import Conversation
    from selection.candidates import Candidate

TURNS = 3
"""Replies until one can be read."""
SHOWN_CHARS = 120_000
"""Of diffs, some 35,000 tokens: they stand behind a context of up to 128,000."""


def by_writers(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """What most wrote first, then the shorter diff: an order that knows no tests."""
    return tuple(sorted(candidates, key=lambda c: (-c.support, c.size, c.number)))


def shown_to_judge(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that one prompt holds, in the order of their letters.

    Where there are more than letters, or than fit, those that fewer wrote and
    the longer ones are left out. The order says nothing of who wrote what: it
    is that of digests.
    """
    chosen: list[Candidate] = []
    left = SHOWN_CHARS
    for candidate in by_writers(candidates):
        if len(chosen) < len(ascii_uppercase) and candidate.size <= left:
            chosen.append(candidate)
            left -= candidate.size
    return tuple(sorted(chosen, key=_digest))


async def judge(talk: Conversation, candidates: Sequence[Candidate]) -> str:
    """Ask for a choice between the candidates, lettered in their order; how it ended.

    "done": the last reply names one (`find_choice`); else no reply could be
    used ("out_of_turns", "context_exceeded", "rejected").

    Raises:
        ModelError, Interrupted.
    """
    letters = ascii_uppercase[: len(candidates)]
    named = [
        {"letter": letter, "diff": candidate.patch.diff.rstrip("\n")}
        for letter, candidate in zip(letters, candidates, strict=True)
    ]
    prompt = render("judge", candidates=named, reminder=_reminder(letters))
    try:
        for left in reversed(range(TURNS)):
            reply = await talk.ask(prompt)
            try:
                if find_choice(require_whole(reply), letters) is not None:
                    return "done"
                reason = "It has no choice."
            except Unreadable as error:
                reason = str(error)
            prompt = render(
                "unreadable",
                reason=reason,
                reminder=_reminder(letters),
                replies_left=replies_left(left),
            )
    except ContextExceeded:
        return "context_exceeded"
    except RequestRejected:
        return "rejected"
    return "out_of_turns"


def _reminder(letters: str) -> str:
    return f"<choose>LETTER</choose>, with one of the letters {', '.join(letters)}"


def _digest(candidate: Candidate) -> str:
    return hashlib.sha256(candidate.patch.diff.encode("utf-8", "surrogatepass")).hexdigest()
