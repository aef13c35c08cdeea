"""The Docker engine as the sandbox needs it.

The Docker SDK is only used in this package. It returns plain values and raises
`SandboxError`, which `failure.py` classifies. Safe to use in several threads.
"""

from __future__ import annotations

import contextlib
import functools
import socket
from typing import TYPE_CHECKING, Any, BinaryIO

import docker
import docker.auth
import docker.constants
import docker.errors
import docker.types

from data.errors import SandboxError
from sandbox.docker.engine.attached import Attached
from sandbox.docker.engine.images import ImageCalls
from sandbox.docker.engine.networks import NetworkCalls
from sandbox.docker.engine.nouns import ContainerState, StoredContainer
from sandbox.docker.engine.translating import tolerating, translated, translates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ANY_VERSION = docker.constants.MINIMUM_DOCKER_API_VERSION
_LOCAL_URLS = frozenset({"http+docker://localhost", "http+docker://localnpipe"})
_REMOVAL_S = 30


def _client(**options: Any) -> Any:
    return docker.from_env(**options).api


def _reach(client: Any) -> None:
    """Raise OSError if nobody listens on the client's socket.

    The SDK would raise the same, but leave a socket open.
    """
    path = getattr(client.get_adapter(client.base_url), "socket_path", None)
    if path and hasattr(socket, "AF_UNIX"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(client.timeout)
            try:
                probe.connect(path)
            except OSError as error:
                error.filename = path
                raise


class Engine(ImageCalls, NetworkCalls):
    """One connection to an engine.

    Every method raises SandboxUnavailable if a person has to act, and
    TransientEngineError (a SandboxError) if another try may succeed.
    """

    def __init__(self, api: docker.APIClient) -> None:
        # The SDK's stubs leave out too much to use types here.
        self._api: Any = api

    @classmethod
    @translates
    def connect(cls, *, connections: int = 10, timeout_s: int = 120) -> Engine:
        """Connect as the environment says: by DOCKER_HOST, or else the current context."""
        options = {"timeout": timeout_s, "max_pool_size": connections}
        # With a version given, nothing is sent yet, and the client is closed if it fails below.
        with contextlib.closing(_client(version=_ANY_VERSION, **options)) as client:
            _reach(client)
            version = client.version(api_version=False)["ApiVersion"]
        return cls(_client(version=version, **options))

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    @translates
    def version(self) -> Mapping[str, Any]:
        """What `docker version` shows of the server."""
        return dict(self._api.version())

    def is_podman(self) -> bool:
        """Whether it is Podman, which speaks Docker's language with an accent."""
        parts = self.version().get("Components") or ()
        return any("podman" in str(part.get("Name")).lower() for part in parts)

    def answers(self) -> bool:
        """Whether the engine answers."""
        try:
            with translated():
                return bool(self._api.ping())
        except SandboxError:
            return False

    @translates
    def create(self, settings: Mapping[str, Any], host: Mapping[str, Any]) -> str:
        """Create a container; `settings` and `host` are the SDK's keyword arguments."""
        config = self._api.create_host_config(**host)
        made = self._api.create_container(
            **settings,
            host_config=config,
            # The client's configuration may hold a proxy with its password.
            use_config_proxy=False,
        )
        return str(made["Id"])

    @translates
    def put(self, container: str, tar: bytes | BinaryIO, path: str = "/") -> None:
        """Unpack `tar` at `path` in a container."""
        self._api.put_archive(container, path, tar)

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        """A tar stream of `path`. The container need not run."""
        with translated():
            chunks, _ = self._api.get_archive(container, path)
            yield from chunks

    @translates
    def attach(self, container: str, *, stdin: bool = False) -> Attached:
        """Connect to a container's output, and its input, before it is started."""
        params = {"stdin": int(stdin), "stdout": 1, "stderr": 1, "stream": 1}
        return Attached(self._api.attach_socket(container, params=params))

    @translates
    def start(self, container: str) -> None:
        """Start a created container."""
        self._api.start(container)

    @translates
    def wait(self, container: str, timeout_s: float) -> int:
        """Wait until a container has ended. Returns its exit code."""
        return int(self._api.wait(container, timeout=timeout_s)["StatusCode"])

    @translates
    def state(self, container: str) -> ContainerState:
        """How a container ended."""
        state = self._api.inspect_container(container)["State"]
        return ContainerState(int(state["ExitCode"]), bool(state["OOMKilled"]))

    @translates
    def disk_bytes(self, container: str) -> int:
        """How many bytes a container has written to its own layer."""
        # The SDK's inspect_container has no such parameter.
        url = self._api._url("/containers/{0}/json", container)  # noqa: SLF001
        answer = self._api._get(url, params={"size": "true"})  # noqa: SLF001
        return int(self._api._result(answer, json=True).get("SizeRw") or 0)  # noqa: SLF001

    def kill(self, container: str) -> None:
        """Kill a container with all its processes. A container that does not run is left alone."""
        tolerating(functools.partial(self._api.kill, container))

    def remove(self, container: str) -> None:
        """Kill and remove a container and its anonymous volumes; it may be gone already.

        The container is gone afterwards, even if the engine was already removing it by
        itself.
        """
        if not tolerating(
            functools.partial(self._api.remove_container, container, force=True, v=True)
        ):
            gone = functools.partial(
                self._api.wait, container, timeout=_REMOVAL_S, condition="removed"
            )
            tolerating(gone)

    @property
    def host(self) -> str:
        """The address of the engine, in the form of DOCKER_HOST."""
        path = getattr(self._api.get_adapter(self._api.base_url), "socket_path", None)
        return f"unix://{path}" if path else str(self._api.base_url)

    @translates
    def info(self) -> Mapping[str, Any]:
        """What `docker info` shows of the server."""
        return dict(self._api.info())

    @property
    def on_this_machine(self) -> bool:
        """Whether it is reached through a local socket, which may forward to another machine."""
        return self._api.base_url in _LOCAL_URLS

    @translates
    def stored_containers(self, *labels: str) -> list[StoredContainer]:
        """All containers, running or not, that carry all of `labels` (`key` or `key=value`)."""
        return [
            StoredContainer(
                id=item["Id"],
                name=next(iter(item.get("Names") or ()), "").lstrip("/"),
                image=item.get("ImageID") or "",
                created=float(item.get("Created") or 0),
                labels=dict(item.get("Labels") or {}),
            )
            for item in self._api.containers(all=True, filters={"label": list(labels)})
        ]
