"""The streams of a container."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

from docker.utils.socket import STDOUT, frames_iter

from sandbox.docker.engine.failure import SettingsRefused, TransientEngineError
from sandbox.docker.engine.translating import translated


class Attached:
    """A container's output as it comes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        # Below the SDK's file-like object is the socket. Its time-out would end the
        # reading of a script that prints nothing for a while.
        self._socket: socket.socket | None = getattr(stream, "_sock", None)
        if isinstance(stream, socket.socket):
            self._socket = stream
        if self._socket is not None:
            self._socket.settimeout(None)

    def frames(self) -> Iterator[tuple[bool, bytes]]:
        """Pieces of output, each with whether it is standard output (else: error).

        Raises:
            TransientEngineError: the connection broke.
        """
        with translated():
            try:
                frames = cast(Callable[..., Iterator[tuple[int, bytes]]], frames_iter)
                for stream, data in frames(self._stream, tty=False):
                    yield stream == STDOUT, bytes(data)
            except ValueError as error:
                # This is raised by reading a file that another thread has closed.
                raise TransientEngineError(f"The output was closed: {error}") from error

    def raw_socket(self) -> socket.socket:
        """The socket below, for reading with a time limit and for writing.

        Raises:
            SettingsRefused: the connection has none: a named pipe, a tunnel.
        """
        if self._socket is None:
            raise SettingsRefused("The connection to the engine is not a plain socket.")
        return self._socket

    def close(self) -> None:
        """Close the streams, even while another thread reads."""
        with contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            response = getattr(self._stream, "_response", None)
            if response is not None:
                response.close()
            self._stream.close()
