"""The configuration: one frozen, strict object from flags and a TOML file."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import tomllib
import warnings
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_type_hints

from agent.prices import Price
from agent.settings import USUAL_SAMPLES, ContextSettings, ModelSettings, SampleSettings
from data.bounds import (
    NONE,
    STRICT,
    Count,
    CountOrZero,
    Lease,
    SecondsOrZero,
    choices,
    kind,
    must_be,
    optional,
)
from data.errors import UsageError
from data.inputs import read_text
from runs.run.given import PRICES, laid_over, misnamed, name_zeros, nested, price_of
from sandbox.image_settings import ImageSettings
from sandbox.protocol import Limits
from selection.settings import SelectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SandboxKind = Literal["auto", "docker", "local"]


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How much is done at the same time. Results do not depend on these settings."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    instances: Count = 4
    """Instances in progress at the same time. The first to begin are served first."""
    model_calls: Count = 64
    """Calls to the model server at the same time."""
    executions: CountOrZero = 0
    """Executions at the same time. 0: as many as this machine's cores and memory allow."""
    stop_s: SecondsOrZero = 20.0
    """Seconds after SIGTERM in which calls and scripts in flight may still end. After Ctrl-C they
    may take until their own time-outs."""
    sandbox: SandboxKind = "docker"
    """Where scripts run. "docker": in Docker. "local": on this machine, only lightly walled off.
    "auto": in Docker where an engine answers, otherwise local."""
    lease_s: Lease = 60.0
    """Seconds after its last heartbeat at which a worker on another host, or in another container,
    is considered gone, and its instances are taken over. A worker sends six heartbeats in this
    time."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    model: ModelSettings = field(default_factory=ModelSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    samples: SampleSettings = field(default_factory=SampleSettings)
    selection: SelectionSettings = field(default_factory=SelectionSettings)
    limits: Limits = field(default_factory=Limits)
    batch: BatchSettings = field(default_factory=BatchSettings)
    images: ImageSettings = field(default_factory=ImageSettings)
    prices: dict[str, Price] = field(default_factory=dict)
    """US dollars for a million tokens, by model name. They take precedence over list prices."""

    @property
    def asks_model(self) -> bool:
        """Whether a run asks a model for anything. If not, the votes decide alone."""
        from selection.selectors import needs
        from selection.selectors.protocol import Needs

        return self.samples_ask_model or needs(self.selection.selector) is not Needs.NOTHING

    @property
    def samples_ask_model(self) -> bool:
        """Whether a model is asked to make samples."""
        from agent.strategies import STRATEGIES

        return STRATEGIES[self.samples.strategy](self.model, self.samples).asks

    @property
    def wanted_samples(self) -> int:
        """How many samples a new run makes of each instance."""
        return (self.samples.count or USUAL_SAMPLES) if self.samples_ask_model else 0

    def identity(self) -> dict[str, Any]:
        """The settings that results depend on, by dotted name: they must match to resume."""
        flat = {
            f"{section}.{name}": value
            for section, values in dataclasses.asdict(self).items()
            if section not in {"batch", "images", PRICES}
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
        "samples.count",
    }
)
"""These may differ when a run is resumed, for example because the server has moved."""


def digest(identity: Mapping[str, Any]) -> str:
    """The SHA-256 (hex) of what identifies a configuration."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


@functools.cache
def settings() -> Mapping[str, Any]:
    """The annotation of every setting but the prices, by dotted name, in order."""
    sections = get_type_hints(Config)
    hints = {
        each.name: get_type_hints(sections[each.name], include_extras=True)
        for each in dataclasses.fields(Config)
        if each.name != PRICES
    }
    return MappingProxyType(
        {
            f"{section}.{each.name}": known[each.name]
            for section, known in hints.items()
            for each in dataclasses.fields(sections[section])
        }
    )


@functools.cache
def price_settings() -> Mapping[str, Any]:
    """The annotation of every key of a price."""
    hints = get_type_hints(Price, include_extras=True)
    return MappingProxyType({each.name: hints[each.name] for each in dataclasses.fields(Price)})


def warn(notes: Sequence[str]) -> None:
    """Give Python's warnings of names that are no longer used."""
    for note in notes:
        warnings.warn(note, DeprecationWarning, stacklevel=3)


def load_config(
    file: Path | None = None,
    overrides: Mapping[str, Any] = MappingProxyType({}),
    beneath: Mapping[str, Any] = MappingProxyType({}),
    *,
    tell: Callable[[Sequence[str]], None] = warn,
) -> Config:
    """The configuration: defaults, `beneath`, then `file` (TOML), then `overrides`.

    `beneath` and `overrides` have values by dotted name. Old names are accepted, and
    `tell` gets a note on each.

    Raises:
        UsageError: the file cannot be read; a key is unknown or a value is not allowed.
    """
    layers = (beneath, _read(file) if file is not None else {}, overrides)
    given, notes = laid_over(layers, settings())
    notes += name_zeros(given, Config().identity())
    tell(notes)
    problems = misnamed(given, settings(), price_settings()) or _mistyped(given)
    if not problems:
        none = {name for name, value in given.items() if value == NONE}
        given |= {name: None for name in none if optional(settings().get(name))}
        config, problems = _validated(nested(given))
    if problems:
        where = str(file) if file else "The given settings"
        raise UsageError(
            f"{where}: {'; '.join(problems)}.",
            hint="List all settings with their defaults: troop config",
        )
    return config


def _mistyped(given: Mapping[str, Any]) -> list[str]:
    """Describe truth values and texts where numbers belong, which pydantic would accept."""
    problems = []
    for name, value in given.items():
        annotation = settings().get(name) or price_settings().get(price_of(name)[1])
        is_number = annotation is not None and kind(annotation) != "text"
        if is_number and isinstance(value, bool | str) and value != NONE:
            problems.append(_problem(tuple(name.split(".", 1)), "type", value))
    return problems


def parse_setting(text: str) -> tuple[str, Any]:
    """Split "section.key=value" from the command line. The value is in TOML or plain text.

    Raises:
        UsageError: there is no "=".
    """
    name, equals, raw = text.partition("=")
    if not equals:
        raise UsageError(f"{text} has no = in it.", hint="For example: --set section.key=value")
    try:
        return name.strip(), tomllib.loads(f"value = {raw}")["value"]
    except ValueError:  # not TOML, or a number with thousands of digits
        return name.strip(), raw.strip()


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(file))
    except ValueError as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error


def _validated(values: Mapping[str, Any]) -> tuple[Config, list[str]]:
    """The configuration, and the problems with its values."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Config).validate_python(values), []
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
    return Config(), [_problem(each["loc"], each["type"], each["input"]) for each in found]


def _problem(place: tuple[int | str, ...], problem: str, value: object) -> str:
    """One problem in words: the setting, the allowed values, and the given one."""
    name = ".".join(map(str, place))
    if problem == "missing":
        return f"{name} is missing"
    annotation = settings().get(name) or price_settings()[price_of(name)[1]]
    given = json.dumps(value) if isinstance(value, str) else str(value)
    near = get_close_matches(str(value), choices(annotation), n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{name} must be {must_be(annotation)}, not {given[:_SHOWN]}{meant}"


_SHOWN = 60
"""How many characters of a wrong value are shown."""
