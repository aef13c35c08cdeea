"""One strict configuration from defaults, a TOML file and flags."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from data.bounds import allowed, kind
from data.errors import UsageError
from runs.run.config import Config, digest, load_config, parse_setting, settings
from runs.run.settings_help import settings_as_markdown, settings_as_toml

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def toml(folder: Path, text: str) -> Path:
    file = folder / "troop.toml"
    file.write_text(text)
    return file


def test_the_defaults_are_the_papers():
    config = load_config(None, {})
    assert config == Config()
    assert (config.samples.count, config.wanted_samples) == (None, 10)
    assert config.samples.testing_turns == 8
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
        ("[samples]\ncount = -1\n", r"samples\.count must be a whole number from 1 to .*, not -1"),
        ("[limits]\ntimeout_s = 0\n", r"limits\.timeout_s must be a number more than 0.*, not 0"),
        ("[selection]\nvotes = 'loudest'\n", r"selection\.votes"),
        ("[prices.m]\nprompt = 1\n", r"prices\.m\.completion is missing"),
    ],
)
def test_bad_input_is_reported_with_its_place(tmp_path, text, told):
    with pytest.raises(UsageError, match=told):
        load_config(toml(tmp_path, text), {})


def test_a_missing_file_and_an_unknown_setting_are_reported(tmp_path):
    with pytest.raises(UsageError, match="There is no file"):
        load_config(tmp_path / "none.toml", {})
    with pytest.raises(UsageError, match="count is not a setting"):
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


def test_a_setting_without_a_value_is_reported():
    with pytest.raises(UsageError, match="has no = in it"):
        parse_setting("samples.count")


# The settings that were taken as they were given, and hung, filled the memory or failed later.
UNCHECKED = """
context.part_tokens=0 context.part_tokens=1 context.max_tokens=0 context.ranking_max_tokens=-1
context.temperature=-1 context.ranking_temperature=inf context.prefilter_files=-1
model.samples_per_call=-2 model.timeout_s=-5 model.timeout_s=nan model.retry_budget_s=-1
limits.timeout_s=nan limits.timeout_s=1e300 limits.cpus=nan limits.cpus=-1 limits.file_mb=0
limits.output_mb=0 limits.disk_mb=-1 limits.memory_mb=5 limits.processes=0
samples.temperature=nan samples.temperature=2.1 samples.count=-1 samples.testing_turns=0
samples.testing_max_tokens=0 samples.editing_max_tokens=-1 samples.editing_turns=-1
selection.max_tokens=0 selection.regression_seconds=inf selection.repeats=-1 selection.turns=-1
batch.executions=-2 batch.instances=0 batch.model_calls=0 engine.executions=-2
images.at_once=0 images.ahead=-1 images.high_percent=101 images.low_percent=-1
images.min_free_gb=-1 images.remote_disk_gb=nan
prices.m.prompt=-1 prices.m.prompt=nan prices.m.cached=inf
"""


@pytest.mark.parametrize("text", UNCHECKED.split())
def test_a_value_out_of_its_range_is_reported_in_one_line(text):
    name, value = parse_setting(text)
    name = name.replace("engine.", "batch.")
    rest = {"prices.m.prompt": 1, "prices.m.completion": 1} if name.startswith("prices") else {}
    with pytest.raises(UsageError) as told:
        load_config(None, {**rest, name: value})
    assert re.fullmatch(
        rf"The given settings: {re.escape(name)} must be a (whole )?number"
        r" (from [\d.]+ to|more than 0, up to) [\d,]+(, or \"none\")?,"
        rf" not {re.escape(str(value))}\.",
        told.value.message,
    )
    assert told.value.exit_code == 2


def test_every_number_has_bounds_that_its_default_keeps():
    unbounded = [
        name for name, hint in settings().items() if kind(hint) != "text" and not allowed(hint)
    ]
    assert not unbounded
    everything = tomllib.loads(settings_as_toml())
    assert len(everything) == len({name.partition(".")[0] for name in settings()})
    load_config(None, everything)


def test_a_number_of_thousands_of_digits_is_reported():
    with pytest.raises(UsageError, match=r"samples\.count must be a whole number"):
        load_config(None, dict([parse_setting(f"samples.count={'9' * 5000}")]))


def test_a_command_must_say_where_the_test_file_goes():
    with pytest.raises(UsageError, match=r'with {files} where the test file goes.*, not "make"'):
        load_config(None, {"selection.regression_command": "make"})
    config = load_config(None, {"selection.regression_command": "make {files}"})
    assert config.selection.regression_command == "make {files}"


def test_there_may_be_no_temperature():
    config = load_config(None, dict([parse_setting("samples.temperature=none")]))
    assert config.samples.temperature is None


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("samples.cuont=1", "samples.count"),
        ("smaples.count=1", "samples.count"),
        ("smaples.temperature=1", "samples.temperature"),
        ("batch.model_cals=1", "batch.model_calls"),
        ("engine.model_cals=1", "batch.model_calls"),
        ("engin.model_calls=1", "batch.model_calls"),
        ("model.instances=1", "batch.instances"),
        ("context.timeout_s=1", "model.timeout_s or limits.timeout_s"),
        ("samples.part_token=1", "context.part_tokens"),
        ("images.at_onec=1", "images.at_once"),
        ("count=1", "samples.count"),
        ("samples.count.number=1", "samples.count"),
        ("images=1", "images.pull, "),
        ("prices.m.promt=1", "prices.m.prompt"),
        ('prices."gpt-4.1".complete=1', "prices.gpt-4.1.completion"),
        ("price.m.prompt=1", "prices.m.prompt"),
        ("prices.m=1", "prices.MODEL.prompt, "),
    ],
)
def test_the_right_name_is_suggested_for_a_misspelt_one(tmp_path, given, meant):
    name, value = parse_setting(given)
    with pytest.raises(UsageError) as told:
        load_config(None, {name: value})
    assert (
        f"{name.replace(chr(34), '')} is not a setting (did you mean {meant}" in told.value.message
    )
    with pytest.raises(UsageError) as told:
        load_config(toml(tmp_path, f"{given}\n"), {})
    assert "is not a setting" in told.value.message


def test_a_misspelt_section_without_keys_is_reported(tmp_path):
    with pytest.raises(UsageError, match="smaples is not a setting"):
        load_config(toml(tmp_path, "[smaples]\n"), {})
    assert load_config(toml(tmp_path, "[samples]\n[engine]\n[prices]\n"), {}) == Config()


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("samples.strategy", "codemonkey", "codemonkeys"),
        ("selection.selector", "agreements", "agreement"),
        ("selection.votes", "papers", "paper"),
        ("batch.sandbox", "dockr", "docker"),
        ("images.pull", "mising", "missing"),
    ],
)
def test_the_right_choice_is_suggested_for_a_misspelt_one(name, value, meant):
    with pytest.raises(UsageError, match=rf"{name} must be one of .*{meant}.*mean {meant}\?"):
        load_config(None, {name: value})


@pytest.mark.parametrize("name", ["gpt-4.1", "org/model.v2"])
def test_prices_may_be_set_one_by_one(name):
    for words in (
        [f'prices."{name}".prompt=1', f'prices."{name}".completion=2'],
        [f"prices.{name}.prompt=1", f"prices.{name}.completion=2"],
        [f"prices.{name}={{prompt = 1, completion = 2}}"],
    ):
        config = load_config(None, dict(map(parse_setting, words)))
        assert (config.prices[name].prompt, config.prices[name].completion) == (1, 2)


def test_old_names_are_accepted_with_a_note(tmp_path):
    file = toml(tmp_path, "[engine]\ninstances = 2\nexecutions = 3\n")
    notes = []
    given = {"batch.executions": 5, "engine.sandbox": "local"}
    config = load_config(file, given, tell=notes.extend)
    assert (config.batch.instances, config.batch.executions) == (2, 5)
    assert config.batch.sandbox == "local"
    assert notes == [
        "engine.instances is now batch.instances",
        "engine.executions is now batch.executions",
        "engine.sandbox is now batch.sandbox",
    ]
    with pytest.warns(DeprecationWarning, match=r"engine\.sandbox is now batch\.sandbox"):
        load_config(None, {"engine.sandbox": "local"})


@pytest.mark.parametrize(
    ("given", "strategy", "selector", "note"),
    [
        ({"samples.count": 0}, "none", "selection", 'samples.strategy = "none"'),
        ({"samples.editing_turns": 0}, "tests-only", "selection", '"tests-only"'),
        ({"samples.editing_turns": 0, "samples.count": 0}, "none", "selection", '"none"'),
        ({"samples.count": 0, "samples.editing_turns": 0}, "none", "selection", '"none"'),
        ({"selection.turns": 0}, "codemonkeys", "regression", 'selection.selector = "regression"'),
        ({"selection.turns": 0, "selection.votes": "paper"}, "codemonkeys", "paper", '"paper"'),
    ],
)
def test_modes_by_zero_have_names(given, strategy, selector, note):
    notes = []
    config = load_config(None, given, tell=notes.extend)
    assert (config.samples.strategy, config.selection.selector) == (strategy, selector)
    assert (config.samples.editing_turns, config.selection.turns) == (8, 10)
    assert config.wanted_samples == (0 if strategy == "none" else 10)
    assert config.asks_model == (strategy != "none" or selector == "selection")
    assert note in "".join(notes)


def test_of_a_zero_and_a_name_the_later_one_is_used(tmp_path):
    def load(file, given):
        return load_config(file, given, tell=lambda _: None)

    named = toml(tmp_path, settings_as_toml())
    assert load(named, {"samples.count": 0}).samples.strategy == "none"
    assert load(named, {"selection.turns": 0}).selection.selector == "regression"
    zero = toml(tmp_path, "[samples]\nediting_turns = 0\n")
    assert load(zero, {"samples.strategy": "codemonkeys"}).samples.strategy == "codemonkeys"
    assert load(zero, {"samples.editing_turns": 4}).samples.strategy == "codemonkeys"


def test_a_configuration_knows_whether_it_asks_a_model():
    silent = {"samples.strategy": "none", "selection.selector": "codet"}
    assert not load_config(None, silent).asks_model
    assert load_config(None, silent | {"selection.selector": "model"}).asks_model
    assert load_config(None, silent | {"samples.strategy": "tests-only"}).asks_model


def test_a_runs_identity_does_not_contain_places_speeds_and_counts():
    one = load_config(None, {"model.name": "m", "model.base_url": "http://a", "samples.count": 3})
    moved = load_config(None, {"model.name": "m", "batch.instances": 9, "samples.count": 4})
    other = load_config(None, {"model.name": "m", "samples.testing_turns": 4})
    assert digest(one.identity()) == digest(moved.identity())
    assert digest(one.identity()) != digest(other.identity())
    sections = {name.partition(".")[0] for name in one.identity()}
    assert sections == {"model", "context", "samples", "selection", "limits"}


def test_the_printed_settings_change_nothing_and_explain_each(tmp_path):
    text = settings_as_toml()
    assert load_config(toml(tmp_path, text), {}) == Config()
    assert "# count =" in text  # unset: a run that is continued keeps its own
    assert tomllib.loads(text)["samples"]["testing_turns"] == 8
    assert "# How many times the relevant files are ranked." in text


def test_the_page_of_settings_is_that_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == settings_as_markdown(), (
        "make it again: troop config --markdown > docs/settings.md"
    )


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--help"], ["solve", "--help"]])
def test_help_answers_without_the_heavy_libraries(words):
    code = (
        "import sys, contextlib; from runs.cli import main;"
        f"\nwith contextlib.suppress(SystemExit): main({words})"
        "\nheavy = {'pydantic', 'genai_prices', 'openai', 'sqlalchemy'} & set(sys.modules)"
        "\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("value", ["true", '"3"'])
def test_truth_values_and_texts_are_not_numbers(tmp_path, value):
    with pytest.raises(UsageError, match=r"samples\.count must be a whole number .*, not"):
        load_config(toml(tmp_path, f"[samples]\ncount = {value}\n"), {})
    with pytest.raises(UsageError, match=r"prices\.m\.prompt must be a number"):
        load_config(toml(tmp_path, f"[prices.m]\nprompt = {value}\ncompletion = 1\n"), {})
