"""A real HTTP server that speaks enough of the chat completions protocol, and every way to fail.

In a test:

    with ModelServer(lambda body: "hello") as server:
        client = OpenAIClient(server.base_url)
        ...
        assert server.requests[0]["messages"][-1]["content"] == "hi"

As a process, for tests that kill things:

    python -m tests.support.model_server --port 0 --log FILE --script FILE.py [--delay S]

The script defines `answer(body)`, and may define `label(body)`, a string for the log. Each
request becomes one line of the log, on disk before its answer leaves. The first line on standard
output says `listening on URL`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import runpy
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

MAX_HEADER = 64 * 1024
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Raw:
    """An answer down to its bytes, faults included."""

    body: bytes | str | Mapping[str, object] | Sequence[object] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay_s: float = 0.0
    cut: int = 0
    """Bytes of the body that are promised by Content-Length and never sent."""
    chunk_pause_s: float = 0.0
    """Send the body in four pieces with this pause between them."""
    reset: bool = False
    """Answer with a TCP reset instead."""
    hang: bool = False
    """Never answer."""

    def payload(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


Answer = str | list[str] | Raw
Answerer = Callable[[dict[str, Any]], Answer]


@dataclass(frozen=True)
class Seen:
    """One request as it came in. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    body: dict[str, Any]


def completion(
    texts: Sequence[object],
    *,
    finish: str | None = "stop",
    usage: object = "count",
    message: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The JSON of a chat completion; `usage` None leaves it out, `message` adds fields."""
    choices = [
        {
            "index": index,
            "finish_reason": finish,
            "message": {"role": "assistant", "content": text, **(message or {})},
        }
        for index, text in enumerate(texts)
    ]
    body: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion", "choices": choices}
    if usage == "count":
        usage = tokens(0, sum(len(str(text)) for text in texts))
    if usage is not None:
        body["usage"] = usage
    return body


def tokens(prompt: int, written: int, **details: object) -> dict[str, object]:
    """A usage object; `details` are further fields, for example prompt_tokens_details."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        **details,
    }


def refuse(status: int, message: str, **more: object) -> Raw:
    """An error in OpenAI's form; `more` are further fields of it: code, type, param."""
    return Raw({"error": {"message": message, **more}}, status=status)


def retry_after(value: str, status: int = 429) -> Raw:
    """An error that says when to come back."""
    return replace(refuse(status, "slow down"), headers={"Retry-After": value})


def html(status: int = 200) -> Raw:
    """A web page."""
    page = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Hi</body></html>"
    return Raw(page, status=status, content_type="text/html; charset=utf-8")


def cut_short(text: str = "a reply that does not arrive whole") -> Raw:
    """A good answer of which the last 20 bytes never come."""
    return Raw(completion([text]), cut=20)


RESET = Raw(reset=True)
HANG = Raw(hang=True)
MALFORMED = Raw('{"id": "chatcmpl-1", "choices": [{"message": {"content": "half a str')


def in_turn(*answers: Answer) -> Answerer:
    """Give these answers one after the other, and the last one from then on."""
    left = list(answers)
    lock = threading.Lock()

    def answer(_body: dict[str, Any]) -> Answer:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


class ModelServer:
    """Serves on 127.0.0.1 in a thread of its own, from entering to leaving the context.

    `answer` gets the parsed body: a string answers all n choices, a list is the choices
    themselves, a `Raw` is anything else. It runs on the server's event loop: it must not block.
    """

    def __init__(
        self,
        answer: Answerer,
        *,
        models: Sequence[str] | Raw = ("mock",),
        max_model_len: int | None = None,
        delay_s: float = 0.0,
        port: int = 0,
        before_answer: Callable[[Seen, Raw], None] | None = None,
    ) -> None:
        self.seen: list[Seen] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.arrived = threading.Event()
        """Set by the first request."""
        self._answer = answer
        self._models = models
        self._max_model_len = max_model_len
        self._delay_s = delay_s
        self._port = port
        self._before_answer = before_answer
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)

    @property
    def base_url(self) -> str:
        """Ends in /v1."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies of the POST requests so far, in the order of their arrival."""
        return [seen.body for seen in list(self.seen) if seen.method == "POST"]

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def serve_forever(self) -> None:
        """Serve until the process ends."""
        with self:
            print(f"listening on {self.base_url}", flush=True)  # noqa: T201
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(
            self._connection, "127.0.0.1", self._port, limit=4 * 1024 * 1024, backlog=512
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        # A swallowed cancellation is the end of the server: nothing awaits these tasks but it.
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            while (seen := await _read_request(reader)) is not None:
                if not await self._respond(seen, reader, writer):
                    break
            else:
                writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        self._connections.discard(task)
        writer.close()

    async def _respond(
        self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        self.seen.append(seen)
        self.arrived.set()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            raw = self._raw(seen)
            await asyncio.sleep(raw.delay_s + self._delay_s)
            if reader.at_eof():
                return False  # the client is gone: this request is not answered, nor logged
            if seen.method == "POST" and self._before_answer is not None:
                self._before_answer(seen, raw)
            return await _send(raw, writer)
        finally:
            self.in_flight -= 1

    def _raw(self, seen: Seen) -> Raw:
        if seen.method == "GET" and seen.path.endswith("/models"):
            return self._model_list()
        if not seen.path.endswith("/chat/completions"):
            return Raw({"detail": "Not Found"}, status=404)
        answer = self._answer(seen.body)
        return answer if isinstance(answer, Raw) else _completion_for(seen.body, answer)

    def _model_list(self) -> Raw:
        if isinstance(self._models, Raw):
            return self._models
        more = {} if self._max_model_len is None else {"max_model_len": self._max_model_len}
        data = [{"id": name, "object": "model", **more} for name in self._models]
        return Raw({"object": "list", "data": data})


def _completion_for(body: dict[str, Any], answer: str | list[str]) -> Raw:
    texts = [answer] * int(body.get("n") or 1) if isinstance(answer, str) else answer
    prompt = sum(len(str(message.get("content"))) for message in body.get("messages", ()))
    written = sum(len(text) for text in texts)
    return Raw(completion(texts, usage=tokens(prompt // 4, written // 4)))


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        first = await reader.readexactly(1)
        if not first.isalpha():
            return None  # TLS, most likely
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, path, _version = request_line.split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, raw, json.loads(raw) if raw else {})


async def _send(raw: Raw, writer: asyncio.StreamWriter) -> bool:
    """Send the answer; say whether the connection can go on."""
    if raw.hang:
        await asyncio.sleep(3600)
    if raw.reset:
        _reset(writer)
        return False
    payload = raw.payload()
    head = [
        f"HTTP/1.1 {raw.status} {_REASONS.get(raw.status, 'Status')}",
        f"Content-Type: {raw.content_type}",
        f"Content-Length: {len(payload)}",
        *(f"{name}: {value}" for name, value in raw.headers.items()),
    ]
    writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
    for piece in _pieces(payload[: len(payload) - raw.cut], 4 if raw.chunk_pause_s else 1):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(raw.chunk_pause_s)
    return raw.cut == 0


def _pieces(payload: bytes, count: int) -> Iterator[bytes]:
    size = max(1, -(-len(payload) // count))
    return (payload[start : start + size] for start in range(0, len(payload), size))


def _reset(writer: asyncio.StreamWriter) -> None:
    # Closing with a linger time of zero makes the kernel send RST rather than FIN.
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _log_to(path: Path, label: Callable[[dict[str, Any]], str]) -> Callable[[Seen, Raw], None]:
    file = path.open("a", encoding="utf-8")

    def log(seen: Seen, answer: Raw) -> None:
        line = {
            "time": time.time(),
            "sha256": hashlib.sha256(seen.raw).hexdigest(),
            "label": label(seen.body),
            "model": seen.body.get("model"),
            "n": seen.body.get("n") or 1,
            "messages": len(seen.body.get("messages", ())),
            "status": answer.status,
        }
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())

    return log


def main() -> None:
    """Serve a script's answers until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--model", default="mock")
    args = parser.parse_args()
    script = runpy.run_path(str(args.script))
    log = _log_to(args.log, script.get("label", lambda _body: ""))
    ModelServer(
        script["answer"],
        models=[args.model],
        delay_s=args.delay,
        port=args.port,
        before_answer=log,
    ).serve_forever()


if __name__ == "__main__":
    main()
