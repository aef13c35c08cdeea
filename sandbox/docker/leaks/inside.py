"""Running one of the shell programs in a container and keeping all that it prints."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from data.errors import SandboxError, SandboxUnavailable
from sandbox.output import escape_controls

if TYPE_CHECKING:
    from sandbox.docker.engine import Attached, Engine
    from sandbox.supervise import Stop

_NOT_RUNNABLE = frozenset({126, 127})
_WAIT_S = 60.0
_MOST_BYTES = 1 << 28
_SAID_BYTES = 4096


def run_inside(engine: Engine, container: str, limit_s: float, stop: Stop) -> str:
    """Start a created container and wait for its end. Returns its standard output.

    Raises:
        Stopped: the order to stop was given.
        SandboxError: the engine or the program failed, or it took too long.
    """
    output, said = bytearray(), bytearray()
    with contextlib.closing(engine.attach(container)) as attached:
        stop.listen(attached.close)
        late = threading.Event()
        clock = threading.Timer(limit_s, _over, (attached, late))
        clock.daemon = True
        clock.start()
        try:
            engine.start(container)
            for standard, data in attached.frames():
                if standard:
                    output += data
                    if len(output) > _MOST_BYTES:
                        raise SandboxError("The search of the image for leaks found too much.")
                elif len(said) < _SAID_BYTES:
                    said += data
        finally:
            clock.cancel()
            stop.check()
            if late.is_set():
                raise SandboxError(f"Hiding what an image leaks took more than {limit_s:.0f} s.")
        code = engine.wait(container, _WAIT_S)
    if code in _NOT_RUNNABLE:
        raise SandboxUnavailable(
            "The image has no working /bin/sh.",
            hint="Scripts are started by a shell: use an image that has one.",
        )
    if code != 0:
        reason = escape_controls(said.decode("utf-8", "replace")).strip()
        raise SandboxError(f"What an image leaks could not be hidden (exit code {code}). {reason}")
    return output.decode("utf-8", "surrogateescape")


def _over(attached: Attached, late: threading.Event) -> None:
    late.set()
    attached.close()
