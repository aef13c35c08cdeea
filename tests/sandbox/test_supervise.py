"""Watching, on processes that are made up."""

from __future__ import annotations

import queue
import threading
from types import SimpleNamespace

import pytest

from data.errors import SandboxError
from sandbox import supervise as module
from sandbox.protocol import Ending, Limits
from sandbox.supervise import Exit, ProcessResult, Stop, Stopped, new_mark, supervise

MARK = b"\x1emark\n"


class FakeProcess:
    """Prints what it is given; ends when it is told to or killed."""

    def __init__(self, *pieces: bytes | Exception, ends: bool = True, disk: int = 0) -> None:
        self._pieces: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        for piece in pieces:
            self._pieces.put(piece)
        if ends:
            self._pieces.put(b"")
        self.disk = disk
        self.kills = 0
        self.exit = Exit(0)

    def read(self) -> bytes:
        piece = self._pieces.get()
        if isinstance(piece, Exception):
            raise piece
        return piece

    def wait(self) -> Exit:
        return self.exit

    def kill(self) -> None:
        self.kills += 1
        self._pieces.put(b"")

    def disk_bytes(self) -> int:
        return self.disk


def watch(process: FakeProcess, stop: Stop | None = None, **limits: float) -> ProcessResult:
    return supervise(process, Limits(**limits), MARK, stop or Stop())  # type: ignore[arg-type]


def test_what_comes_before_the_mark_is_not_the_scripts() -> None:
    result = watch(FakeProcess(b"noise\n\x1em", b"ark\nout", b"put"))
    assert (result.started, result.preamble, result.output) == (True, "noise\n", "output")
    assert result.output_bytes == 6


def test_without_the_mark_the_script_never_started() -> None:
    process = FakeProcess(b"no such thing")
    process.exit = Exit(213)
    result = watch(process)
    assert not result.started
    assert (result.exit_code, result.preamble, result.output) == (213, "no such thing", "")


def test_a_script_cannot_forge_the_mark() -> None:
    assert watch(FakeProcess(MARK + b"a" + MARK + b"b")).output == "a\\x1emark\nb"


def test_a_long_preamble_is_kept_at_its_end() -> None:
    result = watch(FakeProcess(*[b"x" * 10_000] * 10, b"the reason" + MARK))
    assert result.preamble.endswith("the reason")
    assert len(result.preamble) < 20_000


def test_timeout_counts_from_the_start_of_the_script() -> None:
    process = FakeProcess(MARK, b"some", ends=False)
    result = watch(process, timeout_s=0.2)
    assert (result.ending, result.exit_code, result.output) == (Ending.TIMEOUT, None, "some")
    assert process.kills == 1


def test_a_preparation_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PREPARE_S", 0.1)
    result = watch(FakeProcess(b"waiting", ends=False))
    assert (result.ending, result.started) == (Ending.TIMEOUT, False)


def test_lack_of_memory() -> None:
    process = FakeProcess(MARK)
    process.exit = Exit(137, out_of_memory=True)
    result = watch(process)
    assert (result.ending, result.exit_code) == (Ending.OUT_OF_MEMORY, None)


def test_too_much_output() -> None:
    result = watch(FakeProcess(MARK, *[b"x" * (1 << 19)] * 3, ends=False), output_mb=1)
    assert result.ending is Ending.OUTPUT_EXCEEDED


def test_too_much_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.05)
    result = watch(FakeProcess(MARK, ends=False, disk=3 << 20), disk_mb=2)
    assert result.ending is Ending.DISK_EXCEEDED


def test_the_order_to_stop() -> None:
    stop = Stop()
    process = FakeProcess(MARK, ends=False)
    threading.Timer(0.1, stop.give).start()
    with pytest.raises(Stopped):
        watch(process, stop)
    assert process.kills == 1


def test_an_order_that_was_given_before() -> None:
    stop = Stop()
    stop.give()
    with pytest.raises(Stopped):
        stop.check()
    with pytest.raises(Stopped):
        stop.sleep(60)
    with pytest.raises(Stopped):
        watch(FakeProcess(MARK, ends=False), stop)


def test_a_broken_stream_is_the_engines_failure() -> None:
    process = FakeProcess(MARK, SandboxError("broken"))
    with pytest.raises(SandboxError, match="broken"):
        watch(process)
    assert process.kills == 1


def test_a_kill_that_fails_hides_nothing() -> None:
    class Immortal(FakeProcess):
        def kill(self) -> None:
            raise SandboxError("cannot kill")

    with pytest.raises(SandboxError, match="broken"):
        watch(Immortal(MARK, SandboxError("broken")))


def test_a_stream_that_never_ends_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(FakeProcess):
        def kill(self) -> None:
            self.kills += 1

    monkeypatch.setattr(module, "_READER_S", 0.1)
    monkeypatch.setattr(module, "_SETTLE_S", 0.1)
    process = Hanging(MARK, ends=False)
    with pytest.raises(SandboxError, match="did not end"):
        watch(process, timeout_s=0.05)
    FakeProcess.kill(process)


def test_the_duration_is_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    class Slow(FakeProcess):
        def read(self) -> bytes:
            now[0] += 1.0
            return super().read()

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    result = watch(Slow(b"a", b"b", b"c", MARK, b"x"))  # the mark is the fourth read of six
    assert result.duration_s == 2.0


def test_marks_differ() -> None:
    assert new_mark() != new_mark()
