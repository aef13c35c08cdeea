"""How a stored run or instance differs from the one that a command describes."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from runs.store.environments import stored_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.instances.instance import Environment, Instance

_ENVIRONMENT = {
    "image": "image",
    "setup": "setup",
    "repo_dir": "repository folder",
    "language": "language",
    "activate": "activation",
}
_SHOWN = 80
"""How many characters of a value are shown."""
_LINES = 4
"""How many changed lines of an issue are shown."""


def told(differences: Mapping[str, tuple[object, object]]) -> str:
    """Differences in words: what is stored and what is given now."""
    return "; ".join(
        f"{name}: {_value(stored)} in the run, {_value(given)} now"
        for name, (stored, given) in differences.items()
    )


def of_settings(
    stored: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, tuple[object, object]]:
    """The settings that differ, by name: the stored value and the given one."""
    keys = sorted({**stored, **given})
    return {
        key: (stored.get(key), given.get(key)) for key in keys if stored.get(key) != given.get(key)
    }


def of_instance(stored: Any, issue: str, given: Instance) -> str:
    """How an instance differs from the stored one, in words.

    Args:
        stored: its row.
        issue: the stored text of its issue.
        given: what the command names.
    """
    found: dict[str, tuple[object, object]] = {}
    if stored.repo != given.repo:
        found["repository"] = stored.repo, given.repo
    if stored.base_commit != given.base_commit:
        found["commit"] = stored.base_commit, given.base_commit
    found |= _of_environment(stored, given.environment)
    parts = [told(found)] if found else []
    if issue != given.problem_statement:
        parts.append(_of_issue(issue, given.problem_statement))
    return "; ".join(parts) or "its environment"


def _of_environment(stored: Any, given: Environment) -> dict[str, tuple[object, object]]:
    if not stored.environment:  # stored by version 0.1.0
        here = given.image or ""
        return {"image": (stored.image, here)} if stored.image != here else {}
    there = stored_environment(stored.environment)
    pairs = {
        title: (getattr(there, name), getattr(given, name)) for name, title in _ENVIRONMENT.items()
    }
    return {title: pair for title, pair in pairs.items() if (pair[0] or "") != (pair[1] or "")}


def _of_issue(stored: str, given: str) -> str:
    """The first lines of an issue that differ."""
    lines: Sequence[str] = [
        line
        for line in unified_diff(stored.splitlines(), given.splitlines(), n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    shown = [f"{line[0]} {line[1:][:_SHOWN].strip()}" for line in lines[:_LINES]]
    more = f" and {len(lines) - _LINES} more lines" if len(lines) > _LINES else ""
    return "the issue's text (- in the run, + now): " + " / ".join(shown) + more


def _value(value: object) -> str:
    if value is None or value == "":
        return "none"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
