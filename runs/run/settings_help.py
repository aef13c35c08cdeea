"""All settings with their defaults and meanings: a TOML file, and the page docs/settings.md."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import textwrap
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any

from agent.prices import Price
from data.bounds import allowed, kind
from runs.run.config import Config, price_settings, settings
from runs.run.given import OLD_NAMES, PRICES

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRICES_TOML = """
# US dollars for a million tokens, by model name.
# [prices."my-model"]
# prompt = 0.5
# cached = 0.05
# completion = 1.5
"""

_INTRODUCTION = """\
# Settings

Write settings in a TOML file and name it with `--config FILE`, or give single ones with
`--set section.key=value`. A setting given with `--set` takes precedence over one in the file.
`troop config` prints a file with every setting and its default, to start your own from.

In a file, the keys of a section are below its name in brackets:

    [samples]
    count = 20

A setting that is "unset" has no value until you give it one. Where a setting may have no value,
"none" removes the value again. The numbers nan and inf are never allowed.

This page is made from the code: `troop config --markdown > docs/settings.md`.
"""

_PRICES_MARKDOWN = """
US dollars for a million tokens. Each model has a section of its own: `[prices."my-model"]`.

Your prices take precedence over the list prices of
[genai-prices](https://github.com/pydantic/genai-prices). Those come with the installed version of
that library and are found by the model's name alone, whatever server it runs on. For a model on
your own server, set all prices to 0, or work them out from what an hour of the server costs and
how many tokens it handles in that hour. Where no price is known, the cost is "unknown".
"""


@dataclass(frozen=True, slots=True)
class _Setting:
    key: str
    annotation: Any
    default: Any
    meaning: str

    @property
    def shown(self) -> str:
        """The default in TOML's notation."""
        if self.default is MISSING:
            return "needed"
        return "unset" if self.default is None else json.dumps(self.default)


def settings_as_toml() -> str:
    """A configuration file that changes nothing, to start one's own from."""
    return "\n".join(map(_toml, _sections())) + _PRICES_TOML


def settings_as_markdown() -> str:
    """The page of all settings."""
    parts = [_INTRODUCTION, *map(_markdown, _sections())]
    keys = _of(Price, price_settings())
    parts += [f"## {PRICES}\n{_PRICES_MARKDOWN}\n{_table(keys)}", _old_names()]
    return "\n".join(parts)


def _sections() -> Iterator[tuple[str, type]]:
    defaults = Config()
    for section in dataclasses.fields(Config):
        if section.name != PRICES:
            yield section.name, type(getattr(defaults, section.name))


def _of(section: type, annotations: Any, prefix: str = "") -> list[_Setting]:
    meanings = _docstrings(section)
    return [
        _Setting(each.name, annotations[prefix + each.name], each.default, meanings[each.name])
        for each in dataclasses.fields(section)
    ]


def _toml(section: tuple[str, type]) -> str:
    name, kept = section
    lines = [f"# {_about(kept)}", f"[{name}]"]
    for each in _of(kept, settings(), f"{name}."):
        lines += [f"# {line}" for line in each.meaning.splitlines()]
        rule = f"  # {allowed(each.annotation)}" if allowed(each.annotation) else ""
        value = f"# {each.key} =" if each.default is None else f"{each.key} = {each.shown}"
        lines.append(value + rule)
    return "\n".join(lines) + "\n"


def _markdown(section: tuple[str, type]) -> str:
    name, kept = section
    return f"## {name}\n\n{_about(kept)}\n\n{_table(_of(kept, settings(), f'{name}.'))}"


def _table(rows: list[_Setting]) -> str:
    lines = ["| key | type | default | allowed | meaning |", "|---|---|---|---|---|"]
    for each in rows:
        cells = (
            f"`{each.key}`",
            kind(each.annotation),
            each.shown if each.default in {None, MISSING} else f"`{each.shown}`",
            allowed(each.annotation),
            " ".join(each.meaning.split()),
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _old_names() -> str:
    lines = [
        "## Old names",
        "",
        "Troop accepts these, with a note.",
        "",
        "| old | now |",
        "|---|---|",
    ]
    for each in OLD_NAMES:
        if not each.zero:
            lines.append(f"| `[{each.old}]` | `[{each.new}]` |")
            continue
        value = f"the value of `{each.zero}`" if each.zero in settings() else f'`"{each.zero}"`'
        lines.append(f"| `{each.old} = 0` | `{each.new}` = {value} |")
    return "\n".join(lines) + "\n"


def _about(section: type) -> str:
    return (inspect.getdoc(section) or "").partition("\n")[0]


def _docstrings(section: type) -> dict[str, str]:
    """The string below each field in the source."""
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
