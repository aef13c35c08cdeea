"""One strict configuration from defaults, a TOML file and flags."""

import tomllib
from pathlib import Path

import pytest

from data.errors import UsageError
from runs.run.config import Config, digest, load_config, parse_setting
from runs.run.settings_help import settings_as_toml


def toml(folder: Path, text: str) -> Path:
    file = folder / "troop.toml"
    file.write_text(text)
    return file


def test_the_defaults_are_the_papers():
    config = load_config(None, {})
    assert config == Config()
    assert (config.samples.count, config.samples.testing_turns) == (10, 8)
    assert (config.context.tokens, config.context.rankings) == (128_000, 3)
    assert (config.selection.finalists, config.selection.turns) == (3, 10)
    assert config.limits.timeout_s == 100


def test_flags_win_over_the_file(tmp_path):
    file = toml(tmp_path, '[samples]\ncount = 4\n[prices."m"]\nprompt = 1\ncompletion = 2\n')
    config = load_config(file, {"samples.count": 2, "model.name": "m"})
    assert config.samples.count == 2
    assert config.prices["m"].completion == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[samples]\ncuont = 4\n", r"samples\.cuont"),
        ("[sample]\ncount = 4\n", "sample"),
        ("[samples]\ncount = 'many'\n", r"samples\.count"),
        ("[samples\n", "not valid TOML"),
        ("[samples]\ncount = -1\n", "cannot be negative"),
        ("[limits]\ntimeout_s = 0\n", r"limits\.timeout_s must be more than 0"),
        ("[selection]\nvotes = 'loudest'\n", r"selection\.votes"),
        ("[prices.m]\nprompt = 1\n", r"prices\.m\.completion"),
    ],
)
def test_bad_input_is_told_with_its_place(tmp_path, text, told):
    with pytest.raises(UsageError, match=told):
        load_config(toml(tmp_path, text), {})


def test_a_missing_file_and_an_unknown_setting_are_told(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load_config(tmp_path / "none.toml", {})
    with pytest.raises(UsageError, match="no such setting: count"):
        load_config(None, {"count": 1})
    with pytest.raises(UsageError, match=r"samples\.cuont"):
        load_config(None, {"samples.cuont": 1})


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("samples.count=4", ("samples.count", 4)),
        ("selection.votes=paper", ("selection.votes", "paper")),
        ('model.name="a b"', ("model.name", "a b")),
        ("limits.timeout_s = 1.5", ("limits.timeout_s", 1.5)),
        ("model.base_url=http://x/?a=b", ("model.base_url", "http://x/?a=b")),
    ],
)
def test_settings_on_the_command_line(text, setting):
    assert parse_setting(text) == setting


def test_a_setting_without_a_value_is_told():
    with pytest.raises(UsageError, match="not a setting"):
        parse_setting("samples.count")


def test_the_identity_leaves_out_where_and_how_fast():
    one = load_config(None, {"model.name": "m", "model.base_url": "http://a", "samples.count": 3})
    moved = load_config(None, {"model.name": "m", "engine.instances": 9, "samples.count": 3})
    other = load_config(None, {"model.name": "m", "samples.count": 4})
    assert digest(one.identity()) == digest(moved.identity())
    assert digest(one.identity()) != digest(other.identity())


def test_the_printed_settings_change_nothing_and_explain_each(tmp_path):
    text = settings_as_toml()
    assert load_config(toml(tmp_path, text), {}) == Config()
    assert tomllib.loads(text)["samples"]["count"] == 10
    assert "# Rankings of the relevant files, averaged." in text
