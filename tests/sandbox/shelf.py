"""The images of one test: the real engine, of whose images it sees none but the test's own.

Other tests share the engine, and what Troop made there is theirs to remove.
"""

from __future__ import annotations

import io
import secrets
import tarfile
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.docker.engine import Engine
from sandbox.docker.engine.labels import image_labels, label_changes
from sandbox.docker.images import Images, ImageSettings
from sandbox.docker.images.images import engine_ledger
from sandbox.docker.images.pace import Pace
from tests.support.docker import require_docker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from sandbox.docker.engine import StoredImage
    from sandbox.docker.images.ledger import Ledger

QUICK = Pace(pause_s=0.2, retry_s=0.05)
LIMITED = Pace(pause_s=1.0, retry_s=0.05)


class OwnEngine(Engine):
    """Lists only what the test made; counts pulls."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        self.token = secrets.token_hex(4)
        self.ids: set[str] = set()
        self.names: set[str] = set()
        self.made_at: dict[str, float] = {}
        self.pulled: list[str] = []
        self.at_once = self.most_at_once = 0
        self.fail: Exception | None = None
        self.remote = False
        self._counting = threading.Lock()

    @property
    def on_this_machine(self) -> bool:
        return not self.remote and super().on_this_machine

    def layers_bytes(self) -> int:
        assert super().layers_bytes() >= 0
        return sum(image.size for image in self.stored_images())

    def stored_images(self) -> list[StoredImage]:
        return [
            replace(each, created=self.made_at.get(each.id, each.created))
            for each in super().stored_images()
            if each.id in self.ids or self.names.intersection(each.tags) or self.token in str(each)
        ]

    def pull(self, name: str) -> tuple[Generator[bytes], Callable[[], None]]:
        failure, self.fail = self.fail, None
        if failure is not None:
            raise failure
        self.names.add(name)
        with self._counting:
            self.pulled.append(name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            chunks, cut = super().pull(name)
        except BaseException:
            self._ended()
            raise

        def counted() -> Generator[bytes]:
            try:
                yield from chunks
            finally:
                self._ended()

        return counted(), cut

    def _ended(self) -> None:
        with self._counting:
            self.at_once -= 1


class Shelf:
    """Images, and short ways to put them where a test wants them."""

    def __init__(self, engine: OwnEngine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._opened: list[Images] = []
        self._containers: list[str] = []

    def ledger(self) -> Ledger:
        return engine_ledger(self.engine, self.folder)

    def images(self, settings: ImageSettings | None = None, *, pace: Pace = QUICK) -> Images:
        """Another provider's, with the same ledger."""
        opened = Images(self.engine, settings, ledger=self.ledger(), pace=pace)
        self._opened.append(opened)
        return opened

    def full(self, *, ahead: int = 4) -> ImageSettings:
        """Settings by which the disk is always too full."""
        return ImageSettings(high_percent=0, low_percent=0, ahead=ahead)

    def name(self, kind: str) -> str:
        return f"troop-tests/{kind}:{self.engine.token}"

    def by_hand(self, name: str) -> None:
        """Pull as a person does."""
        self.engine.names.add(name)
        self.engine._api.pull(name)

    def tag(self, name: str, new: str) -> None:
        self.engine.names.add(new)
        if self.engine.has_image(new):  # which loses its name
            self.engine.ids.add(self.engine.image(new).id)
        repository, _, tag = new.rpartition(":")
        assert self.engine._api.tag(name, repository, tag)

    def make(self, kind: str, *, home: str = "", since: float = 0.0) -> str:
        """An image with Troop's label, made at `since`."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.addfile(tarfile.TarInfo(secrets.token_hex(4)))
        buffer.seek(0)
        name = f"{home or f'troop/{kind}'}:{self.engine.token}"
        changes = label_changes(image_labels(kind, self.ledger().settle()))
        self.engine.import_image(buffer, name, changes)
        image = self.engine.image(name).id
        self.engine.ids.add(image)
        self.engine.made_at[image] = since
        return name

    def container_names(self) -> set[str]:
        return {
            each.name for each in self.engine.stored_containers() if each.id in self._containers
        }

    def container(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        settings = {"image": name, "command": ["/nothing"], "labels": dict(labels or {})}
        container = self.engine.create(settings, {})
        self._containers.append(container)
        return container

    def there(self, *names: str) -> list[str]:
        return [name for name in names if self.engine.has_image(name)]

    def clear(self) -> None:
        for images in self._opened:
            images.close()
        for container in self._containers:
            self.engine.remove(container)
        for _ in range(2):  # children first, then what they were made of
            for image in self.engine.stored_images():
                for tag in image.tags or (image.id,):
                    self.engine.remove_image(tag)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    require_docker()
    engine = OwnEngine(Engine.connect(connections=8)._api)
    made = Shelf(engine, tmp_path / "state")
    try:
        yield made
    finally:
        made.clear()
        engine.close()
