"""What errors of Docker mean: messages captured from Docker 20.10.24 through the SDK 7.2."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import docker
import docker.errors
import pytest

from data.errors import SandboxError, SandboxUnavailable
from sandbox.docker.engine import Engine, translated
from sandbox.docker.engine.failure import (
    RateLimited,
    TransientEngineError,
    Trouble,
    classify,
    classify_pull,
    failure_of,
    to_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UNAVAILABLE, NO_SPACE, TRANSIENT = Trouble.UNAVAILABLE, Trouble.NO_SPACE, Trouble.TRANSIENT
RATE_LIMITED = Trouble.RATE_LIMITED
UNREACHABLE, REFUSED = Trouble.UNREACHABLE, Trouble.REFUSED
FETCHING = "Error while fetching server API version: "
OCI = "failed to create shim task: OCI runtime create failed: runc create failed: "
STARTING = OCI + "unable to start container process: "
ID = "1c5dd9c4322ca9c7ea186799f65a6dd483810bfeaf563eb7d9413dd2c31fdd37"

CAPTURED = [
    # No answer
    (
        "FileNotFoundError",
        None,
        "[Errno 2] No such file or directory: '/var/run/docker.sock'",
        UNREACHABLE,
        "systemctl start docker",
    ),
    (
        "PermissionError",
        None,
        "[Errno 13] Permission denied: '/var/run/docker.sock'",
        UNAVAILABLE,
        "usermod -aG docker",
    ),
    (
        "DockerException",
        None,
        FETCHING + "('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))",
        UNREACHABLE,
        "systemctl start docker",
    ),
    (
        "DockerException",
        None,
        FETCHING + "('Connection aborted.', ConnectionRefusedError(111, 'Connection refused'))",
        UNREACHABLE,
        "systemctl start docker",
    ),
    (
        "DockerException",
        None,
        FETCHING + "('Connection aborted.', PermissionError(13, 'Permission denied'))",
        UNAVAILABLE,
        "usermod -aG docker",
    ),
    (
        "DockerException",
        None,
        FETCHING + "HTTPConnectionPool(host='127.0.0.1', port=1): Max retries exceeded with url:"
        " /version (Caused by NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=1):"
        ' Failed to establish a new connection: [Errno 111] Connection refused"))',
        UNREACHABLE,
        "DOCKER_HOST",
    ),
    (
        "DockerException",
        None,
        FETCHING
        + "HTTPConnectionPool(host='no-such-host.invalid', port=2375): Max retries exceeded"
        ' with url: /version (Caused by NameResolutionError("HTTPConnection('
        "host='no-such-host.invalid', port=2375): Failed to resolve 'no-such-host.invalid'"
        ' ([Errno -2] Name or service not known)"))',
        UNREACHABLE,
        "DOCKER_HOST",
    ),
    (
        "DockerException",
        None,
        FETCHING + "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
        TRANSIENT,
        "journalctl",
    ),
    (
        "DockerException",
        None,
        FETCHING + "UnixHTTPConnectionPool(host='localhost', port=None): Read timed out."
        " (read timeout=1)",
        TRANSIENT,
        "journalctl",
    ),
    (
        "DockerException",
        None,
        FETCHING + "('Connection aborted.', BadStatusLine('hello\\r\\n'))",
        TRANSIENT,
        "journalctl",
    ),
    (
        "ConnectionError",
        None,
        "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
        TRANSIENT,
        "",
    ),
    (
        "ReadTimeout",
        None,
        "UnixHTTPConnectionPool(host='localhost', port=None): Read timed out. (read timeout=1)",
        TRANSIENT,
        "",
    ),
    (
        "DockerException",
        None,
        "Invalid bind address protocol: nonsense://x",
        UNAVAILABLE,
        "context",
    ),
    (
        "DockerException",
        None,
        "Install paramiko package to enable ssh:// support",
        UNAVAILABLE,
        "DOCKER_HOST",
    ),
    (
        "TLSParameterError",
        None,
        (
            "Path to a certificate and key files must be provided through the client_cert param."
            " TLS configurations should map the Docker CLI client configurations. See"
            " https://docs.docker.com/engine/articles/https/ for API details."
        ),
        UNAVAILABLE,
        "DOCKER_CERT_PATH",
    ),
    # Images
    (
        "ImageNotFound",
        404,
        "No such image: troop/none:x",
        UNAVAILABLE,
        "`docker pull troop/none:x`",
    ),
    (
        "ImageNotFound",
        404,
        "no such image: troop/none:x: No such image: troop/none:x",
        UNAVAILABLE,
        "`docker pull troop/none:x`",
    ),
    (
        "APIError",
        400,
        "invalid reference format: repository name must be lowercase",
        UNAVAILABLE,
        "name",
    ),
    (
        "APIError",
        500,
        (
            'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on'
            " 10.255.255.53:53: no such host"
        ),
        TRANSIENT,
        "",
    ),
    # The disk
    (
        "APIError",
        500,
        "Error processing tar file(exit status 1): write /small/big: no space left on device",
        NO_SPACE,
        "docker system df",
    ),
    # Containers that are gone, or not yet, or no longer
    ("NotFound", 404, "No such container: nosuchthing", TRANSIENT, ""),
    ("NotFound", 404, f"Could not find the file /nosuch in container {ID}", TRANSIENT, ""),
    ("NotFound", 404, "network nosuchnet not found", TRANSIENT, ""),
    (
        "APIError",
        409,
        f"Cannot kill container: {ID}: Container {ID} is not running",
        TRANSIENT,
        "",
    ),
    ("APIError", 409, f"removal of container {ID} is already in progress", TRANSIENT, ""),
    (
        "APIError",
        409,
        (
            f"You cannot remove a running container {ID}. Stop the container before attempting"
            " removal or force remove"
        ),
        TRANSIENT,
        "",
    ),
    (
        "APIError",
        500,
        "Error processing tar file(exit status 1): archive/tar: invalid tar header",
        TRANSIENT,
        "",
    ),
    ("APIError", 503, "", TRANSIENT, ""),
    # What an image or an engine will refuse again
    (
        "APIError",
        400,
        STARTING + 'exec: "/no/such": stat /no/such: no such file or directory: unknown',
        UNAVAILABLE,
        "/bin/sh",
    ),
    (
        "APIError",
        400,
        STARTING + 'exec: "nosuchprog": executable file not found in $PATH: unknown',
        UNAVAILABLE,
        "/bin/sh",
    ),
    (
        "APIError",
        400,
        STARTING + 'exec: "/etc/hosts": permission denied: unknown',
        UNAVAILABLE,
        "/bin/sh",
    ),
    (
        "APIError",
        500,
        STARTING + "unable to apply caps: operation not permitted: unknown",
        REFUSED,
        "journalctl",
    ),
    (
        "APIError",
        500,
        STARTING + "error during container init: error setting rlimits for ready process: error"
        " setting rlimit type 7: operation not permitted: unknown",
        REFUSED,
        "journalctl",
    ),
    (
        "APIError",
        500,
        "unable to find user nosuchuser: no matching entries in passwd file",
        REFUSED,
        "",
    ),
    ("APIError", 500, "Cannot mkdir: /usr/local/bin/python is not a directory", REFUSED, ""),
    (
        "APIError",
        500,
        "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
        REFUSED,
        "",
    ),
    ("APIError", 400, "Unknown runtime specified nosuch", REFUSED, ""),
    ("APIError", 400, "Minimum memory limit allowed is 6MB", REFUSED, "limits"),
    (
        "APIError",
        400,
        "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
        REFUSED,
        "limits",
    ),
    (
        "APIError",
        500,
        "Decoding seccomp profile failed: invalid character 'o' in literal null (expecting 'u')",
        REFUSED,
        "",
    ),
    ("APIError", 400, 'invalid CapAdd: unknown capability: "CAP_NOPE"', REFUSED, ""),
]


@pytest.mark.parametrize(("kind", "status", "message", "trouble", "hint"), CAPTURED)
def test_captured_messages(
    kind: str, status: int | None, message: str, trouble: Trouble, hint: str
) -> None:
    failure = classify(kind, status, message)
    assert failure.trouble is trouble
    assert hint in failure.hint
    assert failure.message
    assert "{" not in failure.hint
    error = to_error(failure)
    assert isinstance(error, SandboxUnavailable) is (trouble is not TRANSIENT)
    assert isinstance(error, TransientEngineError) is (trouble is TRANSIENT)
    assert error.exit_code == 3


PULLS = [
    # Docker Hub, as its engines say it
    (
        404,
        (
            "pull access denied for a/b, repository does not exist or may require 'docker login':"
            " denied: requested access to the resource is denied"
        ),
        UNAVAILABLE,
        "docker login",
    ),
    (
        500,
        (
            "toomanyrequests: You have reached your pull rate limit. You may increase the limit by"
            " authenticating and upgrading: https://www.docker.com/increase-rate-limit"
        ),
        RATE_LIMITED,
        "docker login",
    ),
    (
        200,
        (
            "error pulling image configuration: download failed after attempts=1: toomanyrequests:"
            " You have reached your pull rate limit."
        ),
        RATE_LIMITED,
        "docker login",
    ),
    # A registry of one's own
    (
        404,
        "manifest for 127.0.0.1:5911/a/b:c not found: manifest unknown: manifest unknown",
        UNAVAILABLE,
        "name and tag",
    ),
    (500, "manifest unknown", UNAVAILABLE, "name and tag"),
    (500, "name unknown", UNAVAILABLE, "name and tag"),
    (
        500,
        'Head "http://127.0.0.1:5912/v2/a/b/manifests/c": no basic auth credentials',
        UNAVAILABLE,
        "docker login",
    ),
    (500, "unauthorized", UNAVAILABLE, "docker login"),
    (500, "denied", UNAVAILABLE, "docker login"),
    (
        200,
        "error pulling image configuration: download failed after attempts=6: unauthorized",
        UNAVAILABLE,
        "docker login",
    ),
    # The way there
    (
        500,
        (
            'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on'
            " 10.255.255.53:53: no such host"
        ),
        UNAVAILABLE,
        "network",
    ),
    (
        500,
        'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
        UNAVAILABLE,
        "network",
    ),
    (
        500,
        'Get "https://r.io/v2/": dial tcp: lookup r.io: Temporary failure in name resolution',
        UNAVAILABLE,
        "network",
    ),
    (
        500,
        'Get "https://192.0.2.1/v2/": dial tcp 192.0.2.1:443: i/o timeout',
        TRANSIENT,
        "network",
    ),
    (
        500,
        (
            'Head "http://127.0.0.1:33187/v2/a/b/manifests/latest": read tcp'
            " 127.0.0.1:47324->127.0.0.1:33187: read: connection reset by peer"
        ),
        TRANSIENT,
        "network",
    ),
    (500, "received unexpected HTTP status: 500 Internal Server Error", TRANSIENT, "network"),
    (500, "received unexpected HTTP status: 503 Service Unavailable", TRANSIENT, "network"),
    (
        500,
        'Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout',
        TRANSIENT,
        "network",
    ),
    (200, "unexpected EOF", TRANSIENT, "network"),
    (
        500,
        'Get "https://192.0.2.2:5911/v2/": http: server gave HTTP response to HTTPS client',
        UNAVAILABLE,
        "insecure-registries",
    ),
    (
        500,
        (
            'Get "https://192.0.2.2:5913/v2/": x509: cannot validate certificate for 192.0.2.2'
            " because it doesn't contain any IP SANs"
        ),
        UNAVAILABLE,
        "certs.d",
    ),
    # The image
    (
        200,
        "no matching manifest for linux/amd64 in the manifest list entries",
        UNAVAILABLE,
        "--platform",
    ),
    (
        200,
        (
            "failed to register layer: Error processing tar file(exit status 1): write /big:"
            " no space left on device"
        ),
        NO_SPACE,
        "docker system df",
    ),
    (400, "invalid reference format", UNAVAILABLE, "name"),
    # The engine
    (None, "('Connection aborted.', ConnectionResetError(104, 'reset'))", TRANSIENT, "journalctl"),
    (
        None,
        "('Connection broken: InvalidChunkLength(got length b'', 0 bytes read)', Invalid)",
        TRANSIENT,
        "journalctl",
    ),
    (500, "something else", TRANSIENT, "journalctl"),
]


@pytest.mark.parametrize(("status", "message", "trouble", "hint"), PULLS)
@pytest.mark.parametrize("name", ["a/b:c", "denied/toomanyrequests__503:429", "x509"])
def test_messages_of_pulls(
    name: str, status: int | None, message: str, trouble: Trouble, hint: str
) -> None:
    """Whatever words the image's name is made of."""
    failure = classify_pull(name, status, message.replace("a/b", name.rpartition(":")[0] or name))
    assert failure.trouble is trouble
    assert hint in failure.hint
    assert name in failure.message or trouble is NO_SPACE or not failure.hint.count("registr")
    error = to_error(failure)
    assert isinstance(error, SandboxUnavailable) is (trouble in {UNAVAILABLE, NO_SPACE})
    assert isinstance(error, RateLimited) is (trouble is RATE_LIMITED)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("toomanyrequests: retry-after: 1m30s, allowed: 44000/minute", 90),
        ("toomanyrequests: retry-after: 240.5\u00b5s, allowed: 44000/minute", 0.0002405),
        ("toomanyrequests: Retry-After: 12", 12),
        ("toomanyrequests: You have reached your pull rate limit.", None),
    ],
)
def test_what_a_registry_says_to_wait(message: str, seconds: float | None) -> None:
    error = to_error(classify_pull("a/b", 500, message))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("status", [401, 403])
def test_a_door_that_is_shut(status: int) -> None:
    failure = classify("APIError", status, "authorization denied by plugin")
    assert failure.trouble is UNAVAILABLE


def test_braces_in_a_message_are_not_a_format() -> None:
    assert "{0} {x}" in classify("APIError", 500, "broke {0} {x}").message


# The same, provoked: servers that do not serve, on sockets of our own.


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Serves a socket with a function of each connection; gives its DOCKER_HOST."""
    opened: list[socket.socket] = []

    def serve(answer: Callable[[socket.socket], None]) -> str:
        path = tmp_path / f"{len(opened)}.sock"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
        opened.append(listening)

        def loop() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                opened.append(connection)
                answer(connection)

        threading.Thread(target=loop, daemon=True).start()
        return f"unix://{path}"

    yield serve
    for each in opened:
        each.close()


def connected(host: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("DOCKER_HOST", host)
    return Engine.connect(timeout_s=1)


def test_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxUnavailable, match="No Docker engine answers") as caught:
        connected(f"unix://{tmp_path}/none.sock", monkeypatch)
    assert "systemctl start docker" in caught.value.hint


def test_a_dead_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(SandboxUnavailable, match="No Docker engine answers"):
        connected(f"unix://{tmp_path}/dead.sock", monkeypatch)


def test_a_server_that_hangs(
    server: Callable[[Callable[[socket.socket], None]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TransientEngineError, match="timed out"):
        connected(server(lambda _: None), monkeypatch)


def test_a_server_that_hangs_up(
    server: Callable[[Callable[[socket.socket], None]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TransientEngineError, match="Connection"):
        connected(server(lambda connection: connection.close()), monkeypatch)


def test_errors_that_are_not_the_engines_pass_through() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("x")
    with pytest.raises(SandboxError), translated():
        raise docker.errors.DockerException("x")
    assert failure_of(docker.errors.DockerException("")).message.endswith("DockerException")


# The same, provoked on a real engine.


@pytest.mark.docker
def test_a_real_engine(docker_engine: Engine, python_image: str) -> None:
    with pytest.raises(SandboxUnavailable) as caught:
        docker_engine.image("troop/none:x")
    assert caught.value.hint.startswith("`docker pull troop/none:x`")
    with pytest.raises(SandboxUnavailable, match="name"):
        docker_engine.image("Troop//BAD:::x")
    for act in (docker_engine.start, docker_engine.state, docker_engine.disk_bytes):
        with pytest.raises(TransientEngineError, match="No such container"):
            act("nosuchthing")
    docker_engine.kill("nosuchthing")
    docker_engine.remove("nosuchthing")
    assert not docker_engine.has_image("troop/none:x")
    container = docker_engine.create({"image": python_image, "entrypoint": ["/no/such"]}, {})
    try:
        with pytest.raises(SandboxUnavailable, match="no program /no/such"):
            docker_engine.start(container)
        docker_engine.kill(container)
        with pytest.raises(TransientEngineError, match="invalid tar header"):
            docker_engine.put(container, b"nonsense" * 200)
    finally:
        docker_engine.remove(container)
