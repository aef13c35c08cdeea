"""Hiding what benchmark images hold of the future: later commits, gold patches, hidden tests."""

from sandbox.docker.leaks.scrub import REPOSITORY, Scrub

__all__ = ["REPOSITORY", "Scrub"]
