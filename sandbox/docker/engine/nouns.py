"""What an engine says, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Image:
    """What the engine says of an image."""

    name: str
    """As it was asked for."""
    id: str
    env: Mapping[str, str]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What the engine says of a container that ended."""

    exit_code: int
    out_of_memory: bool


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image in the engine's list."""

    id: str
    tags: tuple[str, ...]
    parent: str
    """The id of the image that it was made from; "": the engine does not say."""
    size: int
    created: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredContainer:
    """A container in the engine's list, running or not."""

    id: str
    name: str
    image: str
    """Its image's id."""
    created: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredNetwork:
    """A network in the engine's list."""

    id: str
    name: str
    created: float
    labels: Mapping[str, str]
