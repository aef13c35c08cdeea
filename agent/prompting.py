"""Prompts are text files beside this module, rendered strictly: a missing variable is an error."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


def render(name: str, **values: object) -> str:
    """The prompt `prompts/<name>.md` filled with `values`.

    Raises:
        jinja2.UndefinedError: the prompt uses a variable that was not given.
    """
    return _template(name).render(values)


@functools.cache
def _template(name: str) -> jinja2.Template:
    text = files(__package__).joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
    return _environment().from_string(text)


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - the text goes to a model, not to a browser
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
