"""What an engine does with images."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from typing import TYPE_CHECKING, Any, BinaryIO

import docker.auth
import docker.errors
from docker.utils import parse_repository_tag

from data.errors import SandboxError
from sandbox.docker.engine.failure import failure_of, to_error
from sandbox.docker.engine.nouns import Image, StoredImage
from sandbox.docker.engine.translating import FAILURES, tolerating, translated, translates

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence


class ImageCalls:
    """The part of an `Engine` that is about images."""

    _api: Any

    @translates
    def image(self, name: str) -> Image:
        """Look `name` up. Raises SandboxUnavailable if the engine has no such image."""
        found = self._api.inspect_image(name)
        config = found.get("Config") or {}
        pairs = (line.partition("=") for line in config.get("Env") or [])
        return Image(
            name=name,
            id=found["Id"],
            env={key: value for key, _, value in pairs},
            labels=dict(config.get("Labels") or {}),
        )

    def has_image(self, name: str) -> bool:
        """Whether the engine has an image of this name."""
        with translated():
            try:
                self._api.inspect_image(name)
            except docker.errors.ImageNotFound:
                return False
            return True

    @translates
    def import_image(self, tar: BinaryIO, name: str, changes: Sequence[str]) -> str:
        """Make an image of one layer from a tar file. Returns its id. `name` may be ""."""
        repository, _, tag = name.rpartition(":")
        # The file is sent with its length, because import_image_from_stream announces chunks
        # but does not send them.
        said = self._api.import_image_from_data(
            tar, repository=repository, tag=tag, changes=list(changes)
        )
        made = json.loads(said.splitlines()[-1])
        if "status" not in made:
            raise SandboxError(f"The Docker engine could not import an image: {said.strip()}")
        return str(made["status"])

    @translates
    def commit(self, container: str, name: str, changes: Sequence[str]) -> str:
        """Make an image of a container's state. Returns its id. `name` may be ""."""
        repository, _, tag = name.rpartition(":")
        made = self._api.commit(
            container, repository=repository, tag=tag, changes="\n".join(changes)
        )
        return str(made["Id"])

    @translates
    def platform_of(self, image: str) -> str:
        """For example "linux/amd64"."""
        found = self._api.inspect_image(image)
        return f"{found.get('Os', '')}/{found.get('Architecture', '')}"

    @translates
    def stored_images(self) -> list[StoredImage]:
        """All images, those without a name too."""
        return [
            StoredImage(
                id=item["Id"],
                tags=tuple(tag for tag in item.get("RepoTags") or () if "<none>" not in tag),
                parent=item.get("ParentId") or "",
                size=int(item.get("Size") or 0),
                created=float(item.get("Created") or 0),
                labels=dict(item.get("Labels") or {}),
            )
            for item in self._api.images(all=True)
        ]

    @translates
    def layers_bytes(self) -> int:
        """How many bytes all layers of all images take. Slow, because the engine adds them up."""
        return int(self._api.df().get("LayersSize") or 0)

    @translates
    def own_bytes(self) -> dict[str, int]:
        """By image, the bytes of layers that no other has, as in `docker system df -v`. Slow."""
        # Newer engines leave the rest out; older ones ignore the parameter.
        found = self._api._result(  # noqa: SLF001 - the SDK's own call has no parameters
            self._api._get(self._api._url("/system/df"), params={"type": "image"}),  # noqa: SLF001
            json=True,
        )
        return {
            image["Id"]: int(image["Size"]) - max(int(image["SharedSize"]), 0)
            for image in found.get("Images") or ()
        }

    def remove_image(self, name: str) -> bool:
        """Remove a name, or an image without a name. Returns whether that was done.

        Never by force: what a container or another image needs stays, and no other
        image is removed with it.
        """
        return tolerating(
            functools.partial(self._api.remove_image, name, force=False, noprune=True)
        )

    @translates
    def tag(self, image: str, name: str) -> None:
        """Give an image a name, taking it from the one that had it."""
        repository, _, tag = name.rpartition(":")
        self._api.tag(image, repository, tag)

    @translates
    def image_config(self, image: str) -> Mapping[str, Any]:
        """How containers of an image start: the engine's own record."""
        return dict(self._api.inspect_image(image).get("Config") or {})

    def pull(self, name: str) -> tuple[Generator[bytes], Callable[[], None]]:
        """Begin to pull an image. Returns the engine's messages (JSON) and what stops it.

        The function may be called in any thread; the engine then gives the pull up.
        """
        with _translated_pull(name):
            response = self._begin_pull(name)
            connection = self._api._get_raw_response_socket(response)  # noqa: SLF001

        def chunks() -> Generator[bytes]:
            with _translated_pull(name), contextlib.closing(response):
                yield from response.iter_content(chunk_size=None)

        def cut() -> None:
            raw = getattr(connection, "_sock", connection)
            # Named pipes cannot do this: there the pull continues unseen.
            with contextlib.suppress(OSError, AttributeError):
                raw.shutdown(socket.SHUT_RDWR)

        return chunks(), cut

    def _begin_pull(self, name: str) -> Any:
        # The SDK's own pull does not return the response, so it could not be stopped.
        repository, tag = parse_repository_tag(name)
        registry, _ = docker.auth.resolve_repository_name(repository)
        header = docker.auth.get_config_header(self._api, registry)
        return self._api._post(  # noqa: SLF001
            self._api._url("/images/create"),  # noqa: SLF001
            params={"fromImage": repository, "tag": tag or "latest"},
            headers={"X-Registry-Auth": header} if header else {},
            stream=True,
            timeout=None,
        )


@contextlib.contextmanager
def _translated_pull(name: str) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise to_error(failure_of(error, pulling=name)) from error
