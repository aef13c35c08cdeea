"""A Docker engine of a test's own, which may be killed and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from signal import SIGKILL
from typing import TYPE_CHECKING

import docker
import pytest

if TYPE_CHECKING:
    from pathlib import Path

_START_S = 60.0


class OwnEngine:
    """`dockerd` on a folder and a socket that nobody else uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        folder = self.folder
        with (folder / "engine.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    # In a network of its own: it would remove another engine's bridge.
                    *(
                        "unshare",
                        "--net",
                        "dockerd",
                        "--host",
                        self.url,
                        "--data-root",
                        f"{folder}/data",
                    ),
                    *("--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"),
                    *("--bridge", "none", "--iptables=false", "--ip-forward=false"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.1)
        pytest.fail((folder / "engine.log").read_text()[-2000:])

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.connect(self.url.removeprefix("unix://"))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        return False

    def kill(self) -> None:
        """Kill -9: what it was doing is lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        # The part that it had started for itself does not serve another one, nor does it count
        # as running, should nobody have waited for it.
        pid = self.folder / "exec/containerd/containerd.pid"
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(pid.read_text()), SIGKILL)
            pid.unlink()

    def stop(self) -> None:
        """Remove all containers, end it and remove its folder."""
        assert self._process is not None
        if self._process.poll() is not None:
            self.start()  # it alone can end its containers
        with contextlib.closing(docker.DockerClient(base_url=self.url)) as client:
            for container in client.containers.list(all=True, ignore_removed=True):
                with contextlib.suppress(docker.errors.APIError):
                    container.remove(force=True)
        self._process.terminate()
        self._process.wait()
        # It mounts its folder on itself.
        subprocess.run(["umount", self.folder / "data"], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def require_own_engine() -> None:
    """Skip the test where no engine can be started; fail it where TROOP_REQUIRE_DOCKER is set."""
    if os.geteuid() == 0 and shutil.which("dockerd"):
        return
    reason = "an engine of one's own needs root and dockerd"
    if os.environ.get("TROOP_REQUIRE_DOCKER"):
        pytest.fail(reason)
    pytest.skip(reason)
