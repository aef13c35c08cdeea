"""The tests of cadence: ``python -m unittest`` in the repository's root."""

from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data"


def days(*texts: str) -> list[date]:
    """Return the dates written as ISO text."""
    return [date.fromisoformat(text) for text in texts]
