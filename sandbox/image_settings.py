"""What may be set about images."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from data.bounds import STRICT, Amount, Count, CountOrZero, Percent

PullPolicy = Literal["missing", "never"]


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """How images come and go. Results do not depend on it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    pull: PullPolicy = "missing"
    """"missing" pulls an image that the engine does not have; "never" wants it to be there."""
    at_once: Count = 2
    """Pulls at once."""
    ahead: CountOrZero = 4
    """Images pulled ahead of what is worked on; 0: none."""
    high_percent: Percent = 85.0
    """With this much of the engine's disk in use, images are removed before one is pulled."""
    low_percent: Percent = 75.0
    """Images are removed until less than this is in use."""
    min_free_gb: Amount = 10.0
    """With less than this free, too, until there is half as much again."""
    remote_disk_gb: Amount = 0.0
    """What images may take in an engine on another machine, whose disk cannot be looked at;
    0: no limit, nothing is removed."""
