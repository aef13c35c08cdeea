"""The one image that all contenders run on, and what is removed in the end."""

from __future__ import annotations

import contextlib
import io
import secrets
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.errors

from benchmarks.parts.machine import BenchmarkError
from benchmarks.parts.workload import REPO_DIR
from sandbox.docker.engine.labels import container_labels, image_labels, label_changes
from sandbox.docker.hostimage import host_python_image
from sandbox.owner import this_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LABEL = "troop.benchmark"

_CALL_S = 600
_CONNECTIONS = 256
_IDLING = "tail"
_WANTED = (_IDLING, "timeout")
"""What the reference calls and an image of this machine's Python lacks."""
_COMMIT = f"""
set -e
cd {REPO_DIR}
python -m compileall -q . >/dev/null
git init -q --template=
git add -A
git -c user.name=benchmark -c user.email=benchmark@localhost commit -q -m "The ledger"
git status --porcelain
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A connection to the engine, and the label on all that this run makes."""

    client: Any
    """`docker.DockerClient`, whose stubs leave too much out."""
    token: str

    @property
    def labels(self) -> dict[str, str]:
        """On every container: those of Troop's own, so that `troop gc` knows them too."""
        own = container_labels(this_process(), f"benchmark-{self.token}", "benchmark")
        return {**own, LABEL: self.token}

    def idle(self, image: str, environment: Mapping[str, str]) -> Any:
        """A started container that does nothing, with no network."""
        return self.client.containers.run(
            image,
            entrypoint=[_IDLING, "-f", "/dev/null"],
            environment=dict(environment),
            working_dir=REPO_DIR,
            network_mode="none",
            detach=True,
            labels=self.labels,
        )

    def clean(self) -> None:
        """Remove all that carries this run's label."""
        only = {"label": f"{LABEL}={self.token}"}
        for container in self.client.api.containers(all=True, filters=only):
            with contextlib.suppress(docker.errors.APIError):
                self.client.api.remove_container(container["Id"], force=True, v=True)
        for image in self.client.api.images(filters=only):
            with contextlib.suppress(docker.errors.APIError):
                self.client.api.remove_image(image["Id"], force=True)


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    """Connect, and remove in the end whatever was made.

    Raises:
        BenchmarkError: the engine failed, inside the block too.
    """
    try:
        client = docker.from_env(timeout=_CALL_S, max_pool_size=_CONNECTIONS)
        client.ping()
    except docker.errors.DockerException as error:
        raise BenchmarkError(f"no Docker engine answers: {error}") from error
    here = Bench(client, secrets.token_hex(6))
    try:
        yield here
    except docker.errors.DockerException as error:
        raise BenchmarkError(str(error)) from error
    finally:
        here.clean()
        client.close()


def lay(here: Bench, base: str | None, files: Mapping[str, bytes]) -> str:
    """An image of `base` (default: this machine's Python) with `files` as a git repository.

    Raises:
        BenchmarkError: the image lacks what the work needs.
    """
    programs = {} if base else {f"usr/local/bin/{name}": _program(name) for name in _WANTED}
    base = base or host_python_image(here.client)
    container = here.client.containers.create(
        base,
        ["/bin/sh", "-c", _COMMIT],
        entrypoint=[""],  # reset, so that the image made of this keeps none
        network_mode="none",
        labels=here.labels,
    )
    prefix = REPO_DIR.strip("/")
    container.put_archive(
        "/", tar_of({f"{prefix}/{name}": data for name, data in files.items()}, programs)
    )
    container.start()
    said = container.wait()["StatusCode"], container.logs().decode(errors="replace")
    if said != (0, ""):
        raise BenchmarkError(f"{base} cannot hold the repository: {said[1].strip() or said[0]}")
    name = f"troop/benchmark:{here.token}"
    changes = [*label_changes({**image_labels("benchmark"), LABEL: here.token}), 'CMD ["/bin/sh"]']
    repository, tag = name.split(":")
    here.client.api.commit(container.id, repository=repository, tag=tag, changes="\n".join(changes))
    container.remove(force=True)
    return name


def tar_of(files: Mapping[str, bytes], programs: Mapping[str, bytes] | None = None) -> bytes:
    """A tar of files, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for content, mode in ((files, 0o644), (programs or {}, 0o755)):
            for name, data in content.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.mtime = len(data), mode, _MADE
                tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


_MADE = 1_700_000_000
"""A fixed time, long ago: what is laid later is newer than what was compiled."""


def _program(name: str) -> bytes:
    found = shutil.which(name, path="/usr/bin:/bin")
    if found is None:
        raise BenchmarkError(f"there is no {name} on this machine: name an image with --image")
    return Path(found).resolve().read_bytes()
