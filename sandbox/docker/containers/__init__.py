"""Containers: how they are made, isolated and run."""

from sandbox.docker.containers.containers import Containers, RunningContainer, retrying, tar_of

__all__ = ["Containers", "RunningContainer", "retrying", "tar_of"]
