"""One warm container: its supervisor's orders, one execution after the other."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.patches.patch import UNEDITED
from sandbox.docker.engine.failure import TransientEngineError
from sandbox.docker.warm import orders
from sandbox.docker.warm.listening import Listener, Raw, new_mark
from sandbox.launch import laying_files
from sandbox.output import BoundedText, escape_controls
from sandbox.protocol import Ending
from sandbox.starting.end_word import EndWord, proven
from sandbox.supervise import PREPARE_S, ProcessResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.instances.instance import Environment
    from data.patches.patch import Patch
    from sandbox.docker.warm.channel import Channel
    from sandbox.launch import StagedFile
    from sandbox.protocol import Limits
    from sandbox.starting.end_word import Sink
    from sandbox.supervise import Stop

GUARD_S = 30.0
"""How long after its time-out, in seconds, a script runs if its owner is dead."""

_HELLO_S = 60.0
_DRAIN_S = 0.1
_MEGABYTE = 1 << 20
_LAYERS = 64
_LAYERS_BYTES = 64 << 20
_KILLED = 137


class NotWarm(Exception):
    """Warm containers do not work here; the message says why."""

    def __init__(self, reason: str, *, anywhere: bool = False) -> None:
        """`anywhere`: they work on no image of this engine."""
        super().__init__(reason)
        self.anywhere = anywhere


@dataclass(frozen=True, slots=True)
class StagedScript:
    """What to execute."""

    files: list[StagedFile]
    begin: str
    """The mark that their launcher prints."""
    word: str = ""
    """Proves that the script came to its end; "": nothing does."""


class WarmContainer:
    """A started container. For one thread at a time."""

    def __init__(self, container: str, channel: Channel, remove: Callable[[str], None]) -> None:
        self.container = container
        self.usable = True
        """Whether another execution may follow."""
        self.used_at = time.monotonic()
        self._channel = channel
        self._remove = remove
        self._layers: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._seen: set[str] = set()
        self._made = 0
        self._script = ""

    def hello(self, stop: Stop, limits: Limits) -> None:
        """Wait until the supervisor is ready.

        Raises:
            NotWarm: the container lacks something that it needs.
            TransientEngineError: the engine failed.
            Stopped: the order to stop was given.
        """
        mark = new_mark()
        answer, said = self._ask(stop, orders.hello(mark, limits), mark, _HELLO_S)
        if answer != ["0", "-"]:
            self.usable = False
            raise NotWarm(" ".join(answer).strip() + (f" ({said})" if said else ""))

    def lay(self, stop: Stop, environment: Environment, patch: Patch) -> Patch:
        """What an execution still has to lay of `patch`: all of it the first time.

        The second time, the patch becomes a layer that all later executions use.

        Raises:
            UsageError: the patch names a path that no patch may name.
            TransientEngineError: the engine failed.
            Stopped: the order to stop was given.
        """
        if not patch or patch.digest in self._layers:
            return UNEDITED
        if patch.digest not in self._seen:
            self._seen.add(patch.digest)
            return patch
        files = laying_files(environment, patch)
        size = sum(len(change.content or b"") for change in patch.files)
        forget = self._room_for(size)
        self._made += 1
        mark = new_mark()
        text = (
            forget + orders.stage(files) + orders.lay_patch(mark, self._made, PREPARE_S + GUARD_S)
        )
        (code, *_), said = self._ask(stop, text, mark, PREPARE_S)
        if code != "0":
            why = f"A patch could not be laid (exit code {code}). {said}"
            raise TransientEngineError(why.strip())
        self._layers[patch.digest] = (self._made, size)
        return UNEDITED

    def execute(
        self,
        stop: Stop,
        staged: StagedScript,
        patch: Patch,
        limits: Limits,
        sink: Sink | None = None,
    ) -> ProcessResult:
        """Run `staged`, on the layer of `patch` if there is one.

        After a limit was passed, the container cannot be used any more.

        `sink`: takes the output instead of a bounded text.

        Raises:
            TransientEngineError: the engine failed.
            Stopped: the order to stop was given.
        """
        text = BoundedText(limits.output_chars)
        mark = new_mark()
        end_word = EndWord(staged.word, sink or text)
        listener = Listener(mark, end_word, staged.begin)
        layer = None
        if patch.digest in self._layers:
            self._layers.move_to_end(patch.digest)
            layer = self._layers[patch.digest][0]
        self._channel.send(
            self._stage(staged) + orders.execute(mark, layer, limits.timeout_s + GUARD_S)
        )
        begun = time.monotonic()
        started, ending = self._until_over(stop, listener, text, limits)
        over = time.monotonic()
        if ending is not Ending.EXITED or not listener.begun:
            self._end(listener)
        code, ending = _outcome(listener.answer, ending)
        end_word.finish()
        ending, code = proven(staged.word, end_word.code, ending, code)
        return ProcessResult(
            ending=ending,
            exit_code=code,
            started=listener.begun,
            preamble=escape_controls(listener.said),
            output=text.text(),
            output_bytes=text.total_bytes,
            duration_s=max(0.0, over - (started or begun)),
        )

    def close(self) -> None:
        """End the container. Safe to call twice."""
        self.usable = False
        self._channel.hang_up()
        self._remove(self.container)

    def _stage(self, staged: StagedScript) -> bytes:
        script = staged.files[0].name
        old, self._script = self._script, script
        return (orders.unstage(old) if old not in {"", script} else b"") + orders.stage(
            staged.files
        )

    def _room_for(self, size: int) -> bytes:
        forget = b""
        while self._layers and (
            len(self._layers) >= _LAYERS
            or size + sum(held for _, held in self._layers.values()) > _LAYERS_BYTES
        ):
            _, (layer, _) = self._layers.popitem(last=False)
            forget += orders.forget_patch(layer)
        return forget

    def _until_over(
        self, stop: Stop, listener: Listener, text: BoundedText, limits: Limits
    ) -> tuple[float | None, Ending]:
        """Listen until the end or a limit. Returns when the script began, and how it ended."""
        stop.listen(self._channel.hang_up)
        started = None
        deadline = time.monotonic() + PREPARE_S
        while not listener.over:
            piece = self._receive(stop, listener, deadline)
            if piece is None:
                return started, Ending.TIMEOUT
            listener.hear(*piece)
            if listener.begun and started is None:
                started = time.monotonic()
                deadline = started + limits.timeout_s
            if text.total_bytes > limits.output_mb * _MEGABYTE:
                return started, Ending.OUTPUT_EXCEEDED
        return started, Ending.EXITED

    def _end(self, listener: Listener) -> None:
        """Read what is left of the output, and end the container."""
        self.usable = False
        deadline = time.monotonic() + _DRAIN_S
        try:
            while (piece := self._channel.receive(deadline)) is not None:
                listener.hear(*piece)
        except TransientEngineError:
            pass  # the end of the streams
        listener.finish()
        # In this order, because the engine removes no container whose output waits for a reader.
        self._channel.hang_up()
        self._remove(self.container)

    def _ask(self, stop: Stop, text: bytes, mark: str, seconds: float) -> tuple[list[str], str]:
        stop.listen(self._channel.hang_up)
        listener = Listener(mark, Raw(0))
        self._channel.send(text)
        deadline = time.monotonic() + seconds
        while not listener.over:
            piece = self._receive(stop, listener, deadline)
            if piece is None:
                raise TransientEngineError(
                    f"A container did not answer within {seconds:.0f} s. {listener.said}".strip()
                )
            listener.hear(*piece)
        return listener.answer or [], listener.said

    def _receive(
        self, stop: Stop, listener: Listener, deadline: float
    ) -> tuple[bool, bytes] | None:
        try:
            return self._channel.receive(deadline)
        except TransientEngineError as error:
            stop.check()  # the connection was ended by the order to stop
            said = escape_controls(listener.said)
            raise TransientEngineError(f"{error.message} {said}".strip()) from error


def _outcome(answer: list[str] | None, ending: Ending) -> tuple[int | None, Ending]:
    if ending is not Ending.EXITED or answer is None:
        return None, ending
    code, note = int(answer[0]), answer[1]
    if note == "full":
        return None, Ending.DISK_EXCEEDED
    if note == "oom" and code == _KILLED:
        return None, Ending.OUT_OF_MEMORY
    return code, ending
