"""Sandboxes on this machine, for when there is no Docker engine."""

from sandbox.local.provider import LocalProvider
from sandbox.local.sandbox import LocalSandbox

__all__ = ["LocalProvider", "LocalSandbox"]
