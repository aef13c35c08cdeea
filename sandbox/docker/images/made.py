"""Images that Troop makes: found by everything that goes into them, or made once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.errors import SandboxError
from data.folders import cache_folder
from data.writing import write_whole
from sandbox.docker.engine.labels import image_labels, label_changes
from sandbox.locks import held

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from sandbox.docker.engine import Engine, Image
    from sandbox.docker.images.ledger import Ledger
    from sandbox.supervise import Stop

_LOG = logging.getLogger(__name__)


def digest_of(*parts: object) -> str:
    """The digest of everything that goes into an image."""
    text = "\0".join(map(str, parts))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def start_lines(config: Mapping[str, Any]) -> list[str]:
    """Dockerfile lines that start an image as this configuration does."""
    lines = [f"ENTRYPOINT {json.dumps(words)}" for words in [config.get("Entrypoint")] if words]
    lines.append(f"CMD {json.dumps(config.get('Cmd') or ['/bin/sh'])}")
    if config.get("User"):
        lines.append(f"USER {config['User']}")
    if config.get("WorkingDir"):
        lines.append(f"WORKDIR {config['WorkingDir']}")
    return lines


def _anything(image: Image) -> None:
    """Check nothing."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """An image, and how it is made."""

    kind: str
    """Its name is `troop/<kind>:<digest>`."""
    digest: str
    """The digest of everything that goes into it."""
    make: Callable[[Recipe], str | None]
    """Makes it with its labels but without its name, and returns its id; None: nothing to make."""
    check: Callable[[Image], None] = _anything
    """Raises SandboxError if the image may not be used."""
    home: str = ""
    """The id of the Troop that makes it, from `Ledger.home`."""

    @property
    def name(self) -> str:
        """The image's name."""
        return f"troop/{self.kind}:{self.digest[:24]}"

    @property
    def labels(self) -> list[str]:
        """Dockerfile lines that set the image's labels."""
        return label_changes(image_labels(self.kind, self.home))


class Verdicts:
    """Which images can be used as they are, for example because they leak nothing: a file for each.

    Any number of processes may share a folder. If the folder cannot be written, images
    are only looked at again.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` defaults to `troop/clean` in the user's cache folder."""
        self._folder = folder or cache_folder() / "clean"

    def is_clean(self, key: str) -> bool:
        """Whether `key` was remembered."""
        try:
            return self._path(key).read_text("utf-8") == key
        except (OSError, ValueError):
            return False

    def remember(self, key: str) -> None:
        """Remember that the image of `key` is clean."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, key.encode())
        except OSError as error:
            _LOG.warning("That an image is clean could not be remembered: %s", error)

    def _path(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes images in an engine. Safe to use in several threads and processes."""

    engine: Engine
    ledger: Ledger
    verdicts: Verdicts
    """Remembers the images of which nothing has to be made."""

    def image(self, recipe: Recipe, stop: Stop) -> Image | None:
        """The image; None where there is nothing to make.

        If several want it at the same time, one makes it and the others wait.

        Raises:
            Stopped: the order to stop was given.
            SandboxError: the engine failed, or what was made may not be used.
        """
        if not self._known(recipe):
            # All images share a few locks, so that there is not one file left for each.
            lock = self.ledger.path.with_name(f"images.lock.made-{recipe.digest[:2]}")
            with held(lock, stop):
                if not self._known(recipe) and not self._make(recipe):
                    return None
        return None if self.verdicts.is_clean(recipe.digest) else self.engine.image(recipe.name)

    def _known(self, recipe: Recipe) -> bool:
        return self.verdicts.is_clean(recipe.digest) or self.engine.has_image(recipe.name)

    def _make(self, recipe: Recipe) -> bool:
        """Whether there was something to make."""
        made = recipe.make(replace(recipe, home=self.ledger.home or self.ledger.settle()))
        if made is None:
            self.verdicts.remember(recipe.digest)
            return False
        with contextlib.ExitStack() as half_made:
            half_made.callback(self._remove, made)
            # Noted at once, so that it is known to be ours even if this process is killed now.
            self.ledger.add(made, ())
            recipe.check(self.engine.image(made))
            # A process on another machine may have been faster; either image will do.
            if not self.engine.has_image(recipe.name):
                self.engine.tag(made, recipe.name)
                half_made.pop_all()
                self.ledger.forget([made])
        return True

    def _remove(self, made: str) -> None:
        try:
            self.engine.remove_image(made)
        except SandboxError as error:
            # It has no name, so nothing uses it.
            _LOG.warning("The image %s could not be removed: %s", made, error)
        else:
            self.ledger.forget([made])
