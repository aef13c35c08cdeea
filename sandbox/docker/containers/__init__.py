"""Containers: how they are made, behind which walls, and how they are run."""

from sandbox.docker.containers.containers import Containers, RunningContainer, retrying, tar_of

__all__ = ["Containers", "RunningContainer", "retrying", "tar_of"]
