"""A model server that knows which process sent each request, and marks its replies."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from tests.support import scripted_model
from tests.support.model_server import ModelServer, Raw, Seen

_MARK = re.compile(r"\[reply (\d+)\.(\d+)\]$")

_LATELY_S = 5.0


@dataclass
class Request:
    """One request, as the server saw it."""

    process: int
    issue: int
    arrived: float
    answered: float | None = None


class Cashier:
    """Gives fixed answers, and keeps a list of all requests."""

    def __init__(self, delay_s: float) -> None:
        self.requests: list[Request] = []
        self.server = ModelServer(self._answer, delay_s=delay_s, before_answer=self._note_answer)
        self._known: dict[int, Request] = {}

    def _answer(self, body: dict[str, Any]) -> list[str]:
        seen = self.server.seen.pop()  # that of this body: the server is one thread
        process = int(seen.headers["authorization"].rpartition("-")[2])
        issue = int(re.findall(r"issue number (\d+)", str(body["messages"]))[0])
        request = self._known[id(seen)] = Request(process, issue, time.time())
        self.requests.append(request)
        said = scripted_model.answer(body)
        texts = [said] * int(body.get("n") or 1) if isinstance(said, str) else said
        number = len(self.requests) - 1
        return [f"{text}\n\n[reply {number}.{n}]" for n, text in enumerate(texts)]

    def working(self) -> set[int]:
        """The numbers of the processes that have asked lately."""
        since = time.time() - _LATELY_S
        return {one.process for one in self.requests if one.arrived > since}

    def _note_answer(self, seen: Seen, _raw: Raw) -> None:
        self._known.pop(id(seen)).answered = time.time()


def mark_of(reply: str) -> tuple[int, int]:
    """Which request a stored reply answers, and which of its choices it is."""
    found = _MARK.search(reply)
    assert found is not None, reply
    return int(found[1]), int(found[2])
