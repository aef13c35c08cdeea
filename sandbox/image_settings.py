"""What may be set about images."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from data.bounds import STRICT, Amount, Count, CountOrZero, Percent

PullPolicy = Literal["missing", "never"]


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """How Docker images are pulled and removed. Results do not depend on it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    pull: PullPolicy = "missing"
    """What happens when an image is missing. "missing": it is pulled. "never": the instance
    fails."""
    at_once: Count = 2
    """Images pulled at the same time."""
    ahead: CountOrZero = 4
    """For how many coming instances images are pulled early. 0: none."""
    high_percent: Percent = 85.0
    """When more than this share of the engine's disk is in use, in percent, images are removed
    before the next one is pulled."""
    low_percent: Percent = 75.0
    """Images are then removed until no more than this share is in use, in percent."""
    min_free_gb: Amount = 10.0
    """Images are removed, too, when less than this is free, in GB, until half as much again is
    free."""
    remote_disk_gb: Amount = 0.0
    """How much space images may take, in GB, in an engine on another machine, whose disk Troop
    cannot see. 0: no limit, and no image is removed."""
