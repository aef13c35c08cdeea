"""The configuration: one frozen, strict object from flags and a TOML file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from agent.prices import Price  # noqa: TC001 - pydantic resolves annotations
from agent.settings import STRICT, ContextSettings, ModelSettings, SampleSettings
from data.errors import UsageError
from sandbox.image_settings import ImageSettings
from sandbox.protocol import Limits
from selection.regression.runners import PLACEHOLDER
from selection.settings import SelectionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SandboxKind = Literal["auto", "docker", "local"]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How much goes on at once. Results do not depend on it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    instances: int = 4
    """Instances worked on at once; older ones are served first."""
    model_calls: int = 64
    """Model calls in flight."""
    executions: int = 0
    """Executions at once; 0: as many as the machine's cores and memory bear."""
    sandbox: SandboxKind = "docker"
    """"docker"; "local" runs scripts on this machine, only lightly walled off; "auto": either."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    model: ModelSettings = field(default_factory=ModelSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    samples: SampleSettings = field(default_factory=SampleSettings)
    selection: SelectionSettings = field(default_factory=SelectionSettings)
    limits: Limits = field(default_factory=Limits)
    engine: EngineSettings = field(default_factory=EngineSettings)
    images: ImageSettings = field(default_factory=ImageSettings)
    prices: dict[str, Price] = field(default_factory=dict)
    """US dollars for a million tokens, by model name."""

    @property
    def asks_model(self) -> bool:
        """Whether anything in a run is left to a model; if not, the votes decide alone."""
        return bool(self.samples.count or self.selection.turns)

    def identity(self) -> dict[str, Any]:
        """The settings that results depend on, flat, by dotted name: what must match to resume."""
        flat = {
            f"{section}.{name}": value
            for section, values in dataclasses.asdict(self).items()
            if section not in {"engine", "images", "prices"}
            for name, value in values.items()
        }
        return {name: value for name, value in flat.items() if name not in _OPERATIONAL}


_OPERATIONAL = frozenset(
    {
        "model.base_url",
        "model.api_key_env",
        "model.timeout_s",
        "model.retry_budget_s",
        "model.samples_per_call",
    }
)
"""May differ when a run is resumed, say because the server has moved."""


def digest(identity: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what identifies a configuration."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


SMALLEST_CONTEXT = 500
"""Tokens; below it not even a short file fits."""


def load_config(
    file: Path | None,
    overrides: Mapping[str, Any],
    beneath: Mapping[str, Any] = MappingProxyType({}),
) -> Config:
    """The configuration: defaults, `beneath`, then `file` (TOML), then `overrides`.

    `beneath` and `overrides` have values by dotted name.

    Raises:
        UsageError: the file cannot be read; a key is unknown or a value has the wrong type.
    """
    values: dict[str, Any] = {}
    _lay_over(values, beneath)
    for section, settings in (_read(file) if file is not None else {}).items():
        known = values.get(section, {})
        values[section] = known | settings if isinstance(settings, dict) else settings
    _lay_over(values, overrides)
    return _validated(values, str(file) if file else "the settings given")


def _lay_over(values: dict[str, Any], settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        section, _, key = name.partition(".")
        if not key or not isinstance(values.setdefault(section, {}), dict):
            raise UsageError(f"no such setting: {name}", mend="see `troop config` for all of them")
        values[section][key] = value


def parse_setting(text: str) -> tuple[str, Any]:
    """A "section.key=value" from the command line; the value in TOML's notation, or plain text.

    Raises:
        UsageError: there is no "=".
    """
    name, equals, raw = text.partition("=")
    if not equals:
        raise UsageError(f"not a setting: {text}", mend="write --set section.key=value")
    try:
        return name.strip(), tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), raw.strip()


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error


def _validated(values: Mapping[str, Any], where: str) -> Config:
    from pydantic import TypeAdapter, ValidationError

    try:
        config = TypeAdapter(Config).validate_python(values)
    except ValidationError as error:
        told = "; ".join(
            _told(problem["loc"], problem["type"], problem["msg"])
            for problem in error.errors(include_url=False)
        )
        raise UsageError(
            f"{where}: {told}", mend="`troop config` prints all settings with their defaults"
        ) from error
    _check_ranges(config, where)
    return config


def _told(place: tuple[int | str, ...], kind: str, message: str) -> str:
    """One problem in words, with the setting that was probably meant."""
    name = ".".join(map(str, place))
    if kind not in {"unexpected_keyword_argument", "extra_forbidden"}:
        return f"{name}: {message.lower()}"
    known = [*Config().identity(), *_OPERATIONAL, "engine.instances", "engine.sandbox"]
    near = get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (f" (did you mean {near[0]}?)" if near else "")


def _check_ranges(config: Config, where: str) -> None:
    """Counts and sizes that make no sense."""
    at_least_one = (
        "context.tokens context.rankings samples.testing_turns"
        " selection.finalists engine.instances engine.model_calls limits.memory_mb"
        " limits.processes limits.disk_mb limits.output_chars limits.timeout_s limits.cpus"
    )
    for name in at_least_one.split():
        section, _, key = name.partition(".")
        if getattr(getattr(config, section), key) <= 0:
            raise UsageError(f"{where}: {name} must be more than 0")
    if config.context.tokens < SMALLEST_CONTEXT:
        raise UsageError(f"{where}: context.tokens must be at least {SMALLEST_CONTEXT}")
    not_negative = (
        "samples.count samples.editing_turns selection.turns selection.regression_files"
        " selection.regression_seconds selection.repeats"
    )
    for name in not_negative.split():
        section, _, key = name.partition(".")
        if getattr(getattr(config, section), key) < 0:
            raise UsageError(f"{where}: {name} cannot be negative")
    command = config.selection.regression_command
    if command and PLACEHOLDER not in command:
        raise UsageError(
            f"{where}: selection.regression_command does not say where the test file goes",
            mend=f"write {PLACEHOLDER} there, as in: pytest {PLACEHOLDER}",
        )
