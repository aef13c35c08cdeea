"""Which of a dataset's images the engine has."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs.doctor.check import fine, less
from runs.doctor.room import size
from runs.words import some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from data.instances.instance import Instance
    from runs.doctor.check import Finding
    from runs.doctor.shared import Facts, SharedEngine
    from sandbox.docker.engine import StoredImage

SHOWN = 10
"""How many missing images are named."""

_HUB = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")
_OTHER_MACHINES = ("x86_64", "arm64")
_SPELLINGS = {"amd64": "x86_64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The dataset or instance whose images are asked for."""

    dataset: str
    split: str | None
    instance: str | None


@dataclass(frozen=True, slots=True)
class Stock:
    """A dataset's images: those that are here with their bytes, and the names of the others."""

    instances: int
    here: Mapping[str, int]
    missing: Sequence[str]


class ImageNames:
    """The image of each wanted instance, read once. Thread-safe."""

    def __init__(self, wanted: Wanted | None) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._names: list[str | None] | None = None

    def get(self) -> list[str | None]:
        """The names; none if no dataset is wanted.

        Raises:
            UsageError: the dataset cannot be read, or has no such instance.
        """
        with self._lock:
            if self._names is None:
                self._names = image_names(self._wanted) if self._wanted else []
            return self._names


def look_at_images(shared: SharedEngine, wanted: ImageNames) -> list[Finding]:
    """The images of a dataset, or of one of its instances."""
    names = wanted.get()
    engine = shared.engine()
    stock = take_stock(names, engine.stored_images())
    # The engine's list leaves digests out.
    pinned = {name: 0 for name in stock.missing if "@" in name and engine.has_image(name)}
    missing = [name for name in stock.missing if name not in pinned]
    return about_images(Stock(stock.instances, {**stock.here, **pinned}, missing), shared.facts())


def image_names(wanted: Wanted) -> list[str | None]:
    """The image of each instance.

    Raises:
        UsageError: the dataset cannot be read, or has no such instance.
    """
    from data.instances.loaders import load_instances, pick_instances

    instances: Sequence[Instance] = load_instances(wanted.dataset, split=wanted.split)
    if wanted.instance:
        instances = pick_instances(instances, [wanted.instance])
    return [instance.environment.image for instance in instances]


def take_stock(names: Sequence[str | None], listed: Iterable[StoredImage]) -> Stock:
    """Compare the images that are wanted with those that are there."""
    sizes = {whole_name(name): image.size for image in listed for name in image.tags}
    wanted = dict.fromkeys(name for name in names if name)
    here = {name: sizes[whole_name(name)] for name in wanted if whole_name(name) in sizes}
    return Stock(len(names), here, [name for name in wanted if name not in here])


def whole_name(name: str) -> str:
    """An image's name as engines list it: with a tag, without the default registry."""
    for prefix in (*_HUB, "library/", "localhost/"):
        name = name.removeprefix(prefix)
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def about_images(stock: Stock, facts: Facts) -> list[Finding]:
    """What to say about a dataset's images."""
    total = len(stock.here) + len(stock.missing)
    text = f"{stock.instances} instances, {total} images: {len(stock.here)} here"
    if stock.here:
        text += f" ({size(sum(stock.here.values()))}, counting shared layers each time)"
    found = [fine("images", text)]
    if stock.missing:
        text += f", {len(stock.missing)} to be pulled: {some(stock.missing, SHOWN)}"
        hint = f"They are pulled when they are needed. To pull now: docker pull {stock.missing[0]}"
        found = [less("images", text, hint)]
    machine = str(facts.info.get("Architecture") or facts.version.get("Arch") or "")
    machine = _SPELLINGS.get(machine, machine)
    others = [other for other in _OTHER_MACHINES if other != machine]
    foreign = [n for n in (*stock.here, *stock.missing) if any(f".{o}." in n for o in others)]
    if foreign and machine:
        found.append(
            less(
                "images.machine",
                f"{len(foreign)} images are for another machine than the engine's {machine},"
                f" for example {foreign[0]}: scripts are emulated, slowly, or do not start",
                "Use an engine on a machine of that kind.",
            )
        )
    return found
