"""The attached streams of a warm container: orders in, two streams out."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

from sandbox.docker.engine.failure import TransientEngineError

if TYPE_CHECKING:
    from sandbox.docker.engine import Attached

_HEADER = struct.Struct(">BxxxL")
_STDERR = 2
_READ_BYTES = 1 << 16
_SEND_S = 60.0


class Channel:
    """Sends orders and receives frames, with deadlines. For one thread, except `hang_up`."""

    def __init__(self, attached: Attached) -> None:
        """`attached`: this takes over its streams.

        Raises:
            SettingsRefused: the connection has no socket whose reading can be timed.
        """
        self._attached = attached
        self._socket = attached.raw_socket()
        self._held = bytearray()
        self._left = 0
        self._stream = 0

    def send(self, orders: bytes) -> None:
        """Send all of `orders`.

        Raises:
            TransientEngineError: the container or the engine is gone.
        """
        try:
            self._socket.settimeout(_SEND_S)
            self._socket.sendall(orders)
        except OSError as error:
            raise TransientEngineError(f"A container takes no orders: {error}") from error

    def receive(self, deadline: float) -> tuple[bool, bytes] | None:
        """The next piece, and whether it is of standard error; None: `deadline` has passed.

        `deadline`: in the clock of `time.monotonic`.

        Raises:
            TransientEngineError: the container or the engine is gone.
        """
        while True:
            if not self._left and len(self._held) >= _HEADER.size:
                self._stream, self._left = _HEADER.unpack_from(self._held)
                del self._held[: _HEADER.size]
            if self._left and self._held:
                piece = bytes(self._held[: self._left])
                del self._held[: len(piece)]
                self._left -= len(piece)
                return self._stream == _STDERR, piece
            if not self._fill(deadline):
                return None

    def hang_up(self) -> None:
        """End the connection, even while another thread receives."""
        self._attached.close()

    def _fill(self, deadline: float) -> bool:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            return False
        try:
            self._socket.settimeout(seconds)
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return False
        except OSError as error:
            raise TransientEngineError(f"A container's output broke off: {error}") from error
        if not data:
            raise TransientEngineError("A container ended too early.")
        self._held += data
        return True
