"""All settings with their defaults and meanings, as a TOML file: what `troop config` prints."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import textwrap

from runs.run.config import Config

PRICES = """
# US dollars for a million tokens, by model name.
# [prices."my-model"]
# prompt = 0.5
# cached = 0.05
# completion = 1.5
"""


def settings_as_toml() -> str:
    """A configuration file that changes nothing, to begin one's own from."""
    defaults = Config()
    parts = [
        _section(section.name, getattr(defaults, section.name))
        for section in dataclasses.fields(Config)
        if section.name != "prices"
    ]
    return "\n".join(parts) + PRICES


def _section(name: str, defaults: object) -> str:
    assert dataclasses.is_dataclass(defaults)  # noqa: S101 - every section is one
    meanings = _docstrings(type(defaults))
    lines = [f"# {line}" for line in (inspect.getdoc(type(defaults)) or "").splitlines()[:1]]
    lines.append(f"[{name}]")
    for field in dataclasses.fields(defaults):
        lines += [f"# {line}" for line in meanings.get(field.name, "").splitlines()]
        value = getattr(defaults, field.name)
        unset = value is None
        lines.append(f"# {field.name} =" if unset else f"{field.name} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _docstrings(section: type) -> dict[str, str]:
    """The string that stands below each field in the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(section)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for field, below in itertools.pairwise(body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        text = below.value if isinstance(below, ast.Expr) else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            found[field.target.id] = inspect.cleandoc(text.value)
    return found
