"""Sandboxes on this machine, for where there is no container engine."""

from sandbox.local.provider import LocalProvider
from sandbox.local.sandbox import LocalSandbox

__all__ = ["LocalProvider", "LocalSandbox"]
