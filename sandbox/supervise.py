"""Watching one execution: its output, its time, its disk use, and the order to stop."""

from __future__ import annotations

import contextlib
import enum
import queue
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from data.errors import SandboxError
from sandbox.output import BoundedText, escape_controls
from sandbox.protocol import Ending
from sandbox.starting.end_word import EndWord, proven

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.protocol import Limits

PREPARE_S = 120.0
"""How long an execution may take, in seconds, until its script is started."""

_LOOK_S = 1.0
_READER_S = 30.0
_SETTLE_S = 5.0
_PREAMBLE_BYTES = 16384
_MEGABYTE = 1 << 20


class Stopped(Exception):
    """The execution was stopped before it ended."""


class Stop:
    """The order to stop, given in one thread and received in another."""

    def __init__(self) -> None:
        self._given = threading.Event()
        self._lock = threading.Lock()
        self._tell: Callable[[], None] | None = None

    def give(self) -> None:
        """Give the order; it stays given."""
        with self._lock:
            self._given.set()
            if self._tell is not None:
                self._tell()

    def listen(self, tell: Callable[[], None]) -> None:
        """Call `tell` (in the thread that gives the order) when it is given, or now if it was.

        The last listener replaces those before it.
        """
        with self._lock:
            self._tell = tell
            if self._given.is_set():
                tell()

    def check(self) -> None:
        """Raise Stopped if the order was given."""
        if self._given.is_set():
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Wait; raises Stopped as soon as the order is given."""
        self._given.wait(seconds)
        self.check()


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended by itself."""

    code: int
    """128 + n after signal n."""
    out_of_memory: bool = False
    """Whether the kernel ended it for lack of memory."""


class Process(Protocol):
    """A started execution. `read` is called in one thread, the rest in another."""

    def read(self) -> bytes:
        """The next output, both streams in their order; b"" once it has ended. Blocks."""

    def wait(self) -> Exit:
        """How it ended; called after `read` gave b""."""

    def kill(self) -> None:
        """End it with all its descendants. Safe at any time and more than once."""

    def disk_bytes(self) -> int:
        """What it has written so far."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What came out of one execution."""

    ending: Ending
    exit_code: int | None
    started: bool
    """Whether the script itself was started; if not, `preamble` says why."""
    preamble: str
    """The last of what was printed before the script was started."""
    output: str
    output_bytes: int
    duration_s: float
    """From the script's start, or from the beginning where it never started."""


def new_mark() -> bytes:
    """The line that separates the preparation's output from the script's.

    It is printed before the script runs, so that a script cannot forge it. It is random, so
    that a preparation cannot print it by accident.
    """
    return b"\x1e%s\n" % secrets.token_hex(12).encode()


def supervise(
    process: Process, limits: Limits, mark: bytes, stop: Stop, word: str = ""
) -> ProcessResult:
    """Watch `process` until it ends, and end it if it passes a limit.

    `word` proves that the script came to its end; "": nothing does.

    Raises:
        Stopped: the order to stop was given; the process has been killed.
        SandboxError: the output could not be read to its end.
    """
    watch = _Watch(process, limits, mark, word)
    stop.listen(lambda: watch.signals.put(_Signal.STOP))
    try:
        ending = watch.until_over()
        over = time.monotonic()
        if ending is not Ending.EXITED:
            process.kill()
        return watch.finish(ending, over)
    except BaseException:
        # Report the first error; whoever made the process removes it anyway.
        with contextlib.suppress(SandboxError):
            process.kill()
        watch.settle()
        raise


class _Signal(enum.Enum):
    START = enum.auto()
    END = enum.auto()
    FLOOD = enum.auto()
    STOP = enum.auto()


class _Watch:
    """A thread that reads, and a loop that waits for whatever comes first."""

    def __init__(self, process: Process, limits: Limits, mark: bytes, word: str) -> None:
        self.signals: queue.SimpleQueue[_Signal | Exception] = queue.SimpleQueue()
        self._process = process
        self._limits = limits
        self._mark = mark
        self._begun = time.monotonic()
        self._started_at: float | None = None
        self._preamble = bytearray()
        self._text = BoundedText(limits.output_chars)
        self._word = word
        self._end_word = EndWord(word, self._text)
        self._reader = threading.Thread(target=self._read, name="sandbox-output", daemon=True)
        self._reader.start()

    def until_over(self) -> Ending:
        """Wait for the end, or for the limit that is passed first."""
        deadline, look = self._begun + PREPARE_S, float("inf")
        while True:
            now = time.monotonic()
            try:
                signal = self.signals.get(timeout=max(0.0, min(deadline, look) - now))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return Ending.TIMEOUT
                if self._process.disk_bytes() > self._limits.disk_mb * _MEGABYTE:
                    return Ending.DISK_EXCEEDED
                # Measuring walks over all files, so it must not be done all the time.
                took = time.monotonic() - look
                look = time.monotonic() + max(_LOOK_S, 4 * took)
                continue
            if isinstance(signal, Exception):
                raise signal
            match signal:
                case _Signal.START:
                    started = self._started_at or now
                    deadline, look = started + self._limits.timeout_s, started + _LOOK_S
                case _Signal.END:
                    return Ending.EXITED
                case _Signal.FLOOD:
                    return Ending.OUTPUT_EXCEEDED
                case _Signal.STOP:
                    raise Stopped

    def settle(self) -> None:
        """Give the reader time to see the end, before its stream is closed."""
        self._reader.join(_SETTLE_S)

    def finish(self, ending: Ending, over: float) -> ProcessResult:
        """Make the result, once the reader is done."""
        self._reader.join(_READER_S)
        if self._reader.is_alive():
            raise SandboxError(
                f"The output of a stopped script did not end within {_READER_S:.0f} s."
            )
        code = None
        if ending is Ending.EXITED:
            end = self._process.wait()
            ending, code = (Ending.OUT_OF_MEMORY, None) if end.out_of_memory else (ending, end.code)
        self._end_word.finish()
        ending, code = proven(self._word, self._end_word.code, ending, code)
        started = self._started_at
        return ProcessResult(
            ending=ending,
            exit_code=code,
            started=started is not None,
            preamble=escape_controls(self._preamble.decode("utf-8", "replace")),
            output=self._text.text(),
            output_bytes=self._text.total_bytes,
            duration_s=max(0.0, over - (self._begun if started is None else started)),
        )

    def _read(self) -> None:
        try:
            while data := self._process.read():
                self._take(data)
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
            self.signals.put(error)
        else:
            self.signals.put(_Signal.END)

    def _take(self, data: bytes) -> None:
        if self._started_at is None:
            self._preamble += data
            before, mark, data = bytes(self._preamble).partition(self._mark)
            self._preamble = bytearray(before[-_PREAMBLE_BYTES:])
            if not mark:
                return
            self._started_at = time.monotonic()
            self.signals.put(_Signal.START)
        allowed = self._limits.output_mb * _MEGABYTE
        was_allowed = self._text.total_bytes <= allowed
        self._end_word.feed(data)
        if was_allowed and self._text.total_bytes > allowed:
            self.signals.put(_Signal.FLOOD)
