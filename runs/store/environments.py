"""An instance's environment as JSON, the way the database stores it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from data.instances.instance import Environment


def environment_text(environment: Environment) -> str:
    """An environment as JSON."""
    source = environment.source
    values = dataclasses.asdict(environment) | {"source": None if source is None else str(source)}
    return json.dumps(values, sort_keys=True)


def stored_environment(text: str) -> Environment:
    """The environment of `environment_text`."""
    values = json.loads(text)
    source = values["source"]
    return Environment(**values | {"source": None if source is None else Path(source)})
