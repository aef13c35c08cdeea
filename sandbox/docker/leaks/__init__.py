"""Hiding what benchmark images hold of the future: later commits, gold patches, hidden tests."""

from sandbox.docker.leaks.scrub import Scrub

__all__ = ["Scrub"]
