"""Sandboxes in Docker containers. Only this package sees the Docker SDK."""

from sandbox.docker.hostimage import host_python_image
from sandbox.docker.provider import DockerProvider
from sandbox.docker.sandbox import DockerSandbox

__all__ = ["DockerProvider", "DockerSandbox", "host_python_image"]
