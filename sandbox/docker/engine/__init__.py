"""The Docker engine, and all use of its SDK."""

from sandbox.docker.engine.attached import Attached
from sandbox.docker.engine.engine import Engine
from sandbox.docker.engine.nouns import Image, State, StoredContainer, StoredImage
from sandbox.docker.engine.translating import translated

__all__ = [
    "Attached",
    "Engine",
    "Image",
    "State",
    "StoredContainer",
    "StoredImage",
    "translated",
]
