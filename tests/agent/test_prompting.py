"""Prompts are files, rendered strictly."""

from pathlib import Path

import jinja2
import pytest

import agent
from agent.prompting import render

FOLDER = Path(agent.__file__).parent / "prompts"
ROOT = FOLDER.parents[1]


def test_a_missing_variable_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="replies_left"):
        render("edit_mismatch", reason="because")


def test_values_are_not_templates_and_not_escaped():
    text = render("edit_mismatch", reason="{{ 1 + 1 }} <b> & {% if %}", replies_left="2 replies")
    assert "{{ 1 + 1 }} <b> & {% if %}" in text


@pytest.mark.parametrize("prompt", sorted(path.stem for path in FOLDER.iterdir()))
def test_every_prompt_is_used(prompt):
    rooms = [
        *ROOT.glob("agent/**/*.py"),
        *ROOT.glob("selection/**/*.py"),
        *ROOT.glob("runs/**/*.py"),
    ]
    source = "".join(path.read_text() for path in rooms)
    assert f'"{prompt}"' in source or f'"{prompt}",' in source
