"""The Docker engine, and all use of its SDK."""

from sandbox.docker.engine.attached import Attached
from sandbox.docker.engine.engine import Engine
from sandbox.docker.engine.nouns import (
    ContainerState,
    Image,
    StoredContainer,
    StoredImage,
    StoredNetwork,
)
from sandbox.docker.engine.translating import translated

__all__ = [
    "Attached",
    "ContainerState",
    "Engine",
    "Image",
    "StoredContainer",
    "StoredImage",
    "StoredNetwork",
    "translated",
]
