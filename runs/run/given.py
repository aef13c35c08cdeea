"""Settings as a person gives them, by dotted name: old names replaced, unknown names reported."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

PRICES = "prices"
"""The section whose keys are model names: `prices."gpt-4.1".prompt`."""


@dataclass(frozen=True, slots=True)
class OldName:
    """The former name of a setting or section, or the former meaning of its 0."""

    old: str
    new: str
    zero: str = ""
    """0 stood for this value of `new`, or for that of the setting of this name; "": renamed."""


OLD_NAMES = (
    OldName("engine", "batch"),
    OldName("samples.editing_turns", "samples.strategy", zero="tests-only"),
    OldName("samples.count", "samples.strategy", zero="none"),
    OldName("selection.turns", "selection.selector", zero="selection.votes"),
)


def laid_over(
    layers: Sequence[Mapping[str, Any]], known: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """The layers put together, the last given last, and a note on each old name."""
    given: dict[str, Any] = {}
    notes: dict[str, None] = {}
    for layer in layers:
        for name, value in _flat(layer):
            now = _today(name)
            if now != name and now in known:
                notes[f"{name} is now {now}"] = None
                name = now  # noqa: PLW2901 - the new name from here on
            given.pop(name, None)
            given[name] = value
    return given, list(notes)


def name_zeros(given: dict[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Replace zeros by the modes that they stood for, each with a note; a later name is kept."""
    names = list(given)
    notes = []
    for each in OLD_NAMES:
        if not each.zero or not _is_zero(given.get(each.old)):
            continue
        del given[each.old]
        if each.new in names[names.index(each.old) :]:
            continue
        given[each.new] = given.get(each.zero, defaults.get(each.zero, each.zero))
        notes.append(f'{each.old} = 0 is now {each.new} = "{given[each.new]}"')
    return notes


def misnamed(given: Mapping[str, Any], known: Collection[str], price: Collection[str]) -> list[str]:
    """The problems with names that are not settings; `price`: the keys of a price."""
    sections = {PRICES, *(name.partition(".")[0] for name in known)}
    problems = []
    for name, value in given.items():
        if _is_known(name, known, price) or (value == {} and _today(name) in sections):
            continue
        near = _near(_today(name), sections, known, price)
        meant = f" (did you mean {_listed(near)}?)" if near else ""
        problems.append(f"{name} is not a setting{meant}")
    return problems


def nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as sections of a configuration."""
    sections: dict[str, Any] = {}
    for name, value in given.items():
        section, _, key = name.partition(".")
        if not key:
            continue  # an empty section
        place = sections.setdefault(section, {})
        if section == PRICES:
            model, key = price_of(name)
            place = place.setdefault(model, {})
        place[key] = value
    return sections


def price_of(name: str) -> tuple[str, str]:
    """The model and the key of a price, or "". Model names may contain dots."""
    section, _, rest = name.partition(".")
    model, _, key = rest.rpartition(".")
    return (model, key) if section == PRICES else ("", "")


def _flat(settings: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by dotted name, whether they were given that way or in tables."""
    for key, value in settings.items():
        name = within + key
        if name.startswith(f"{PRICES}."):  # --set may have TOML's quotes around a model's name
            name = name.replace('"', "").replace("'", "")
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _today(name: str) -> str:
    """The current name of a setting."""
    for each in OLD_NAMES:
        if not each.zero and (name == each.old or name.startswith(f"{each.old}.")):
            return each.new + name.removeprefix(each.old)
    return name


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and value == 0


def _is_known(name: str, known: Collection[str], price: Collection[str]) -> bool:
    model, key = price_of(name)
    return name in known or bool(model and key in price)


def _near(
    name: str, sections: set[str], known: Collection[str], price: Collection[str]
) -> list[str]:
    """The names probably meant: section misspelt, key of another section, key misspelt."""
    section, _, rest = name.partition(".")
    if section == PRICES:
        model, _ = price_of(name)
        around = [f"{PRICES}.{model or 'MODEL'}.{each}" for each in price]
        return get_close_matches(name, around, n=1) if model else around
    if section in sections and not rest:
        return [each for each in known if each.startswith(f"{name}.")]
    for alike in get_close_matches(section, sections - {section}, n=1):
        if _is_known(f"{alike}.{rest}", known, price):
            return [f"{alike}.{rest}"]
    return _alike(name, known)


def _alike(name: str, known: Collection[str]) -> list[str]:
    by_key = {each: each.rpartition(".")[2] for each in known}
    key = name.rpartition(".")[2]
    if elsewhere := [each for each, its in by_key.items() if its == key]:
        return elsewhere
    if close := get_close_matches(name, known, n=1, cutoff=0.7):
        return close
    keys = get_close_matches(key, set(by_key.values()), n=1)
    return [each for each, its in by_key.items() if its in keys]


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
