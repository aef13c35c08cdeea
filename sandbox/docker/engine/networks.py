"""What an engine does with networks."""

from __future__ import annotations

import datetime
import functools
from typing import TYPE_CHECKING, Any

from sandbox.docker.engine.nouns import StoredNetwork
from sandbox.docker.engine.translating import tolerating, translates

if TYPE_CHECKING:
    from collections.abc import Mapping

_APART = {"com.docker.network.bridge.enable_icc": "false"}
"""The containers of one network do not reach each other either."""


class NetworkCalls:
    """The part of an `Engine` that is about networks."""

    _api: Any

    @translates
    def create_network(self, name: str, labels: Mapping[str, str]) -> str:
        """Make a network that leads out, but to no other container. Returns its id."""
        made = self._api.create_network(
            name, driver="bridge", options=_APART, labels=dict(labels), check_duplicate=True
        )
        return str(made["Id"])

    def remove_network(self, network: str) -> bool:
        """Whether the network is removed; not if it is in use or already gone."""
        return tolerating(functools.partial(self._api.remove_network, network))

    @translates
    def stored_networks(self, *labels: str) -> list[StoredNetwork]:
        """All networks that carry all of `labels` (`key` or `key=value`)."""
        return [
            StoredNetwork(
                id=item["Id"],
                name=item["Name"],
                created=_seconds(item.get("Created") or ""),
                labels=dict(item.get("Labels") or {}),
            )
            for item in self._api.networks(filters={"label": list(labels)})
        ]


def _seconds(written: str) -> float:
    """A time as the engine writes it, whose fractions Python cannot read; 0: none."""
    try:
        return datetime.datetime.fromisoformat(f"{written[:19]}+00:00").timestamp()
    except ValueError:
        return 0.0
