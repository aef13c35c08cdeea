"""Hiding what benchmark images reveal: later commits, gold patches, hidden tests."""

from sandbox.docker.leaks.scrub import Scrub

__all__ = ["Scrub"]
