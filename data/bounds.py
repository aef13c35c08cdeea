"""The values that a setting may have: bounds beside its field, and the same in words."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import BaseMetadata, GroupedMetadata, Interval, Predicate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STRICT: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}
"""Read by pydantic when a configuration is loaded: unknown keys, nan and inf are errors."""

Count = Annotated[int, Interval(ge=1, le=1_000_000)]
CountOrZero = Annotated[int, Interval(ge=0, le=1_000_000)]
Size = Annotated[int, Interval(ge=1, le=1_000_000_000)]
"""Tokens, characters, bytes or megabytes."""
Seconds = Annotated[float, Interval(gt=0, le=1_000_000)]
SecondsOrZero = Annotated[float, Interval(ge=0, le=1_000_000)]
Lease = Annotated[float, Interval(ge=1, le=86_400)]
"""Seconds, from one to a day."""
Amount = Annotated[float, Interval(ge=0, le=1_000_000)]
"""Gigabytes or dollars."""
Percent = Annotated[float, Interval(ge=0, le=100)]
Temperature = Annotated[float, Interval(ge=0, le=2)] | None

NONE = "none"
"""Written for no value, where a setting may have none."""

_KINDS = {int: "whole number", float: "number"}
_PHRASES = {"whole number": "a whole number", "number": "a number", "text": "text"}


@dataclass(frozen=True, slots=True)
class OneOf(GroupedMetadata):
    """One of some names, which are looked up when a value is checked."""

    names: Callable[[], Sequence[str]]

    def __iter__(self) -> Iterator[BaseMetadata]:
        """What pydantic checks."""
        yield Predicate(lambda value: value in self.names())


@dataclass(frozen=True, slots=True)
class Rule(GroupedMetadata):
    """A rule that is neither a range nor a list of names."""

    keeps: Callable[[Any], bool]
    allowed: str
    """The rule in words."""

    def __iter__(self) -> Iterator[BaseMetadata]:
        """What pydantic checks."""
        yield Predicate(self.keeps)


def choices(annotation: Any) -> tuple[str, ...]:
    """The names that are allowed; empty: any value of the kind is."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    found = [each.names() for each in _metadata(annotation) if isinstance(each, OneOf)]
    return tuple(name for names in found for name in names)


def kind(annotation: Any) -> str:
    """The kind of value, for example "whole number"."""
    within = _within(annotation)
    if get_origin(within) is Annotated:
        within = get_args(within)[0]
    return _KINDS.get(within, "text")


def allowed(annotation: Any) -> str:
    """Which values of this kind are allowed; "": all."""
    if names := choices(annotation):
        return f"one of {', '.join(names)}"
    for each in _metadata(annotation):
        if isinstance(each, Rule):
            return each.allowed
        if isinstance(each, Interval):
            least = f"more than {each.gt}, up to" if each.gt is not None else f"from {each.ge} to"
            return f"{least} {each.le:,}"
    return ""


def must_be(annotation: Any) -> str:
    """Kind and bounds in one phrase, for a message about a value that does not fit."""
    rule = allowed(annotation)
    if not choices(annotation):
        rule = f"{_PHRASES[kind(annotation)]} {rule}".rstrip()
    return f'{rule}, or "{NONE}"' if optional(annotation) else rule


def optional(annotation: Any) -> bool:
    """Whether there may be no value."""
    return get_origin(annotation) in {Union, types.UnionType}


def _within(annotation: Any) -> Any:
    """The annotation without "| None"."""
    if optional(annotation):
        return next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def _metadata(annotation: Any) -> Sequence[Any]:
    return getattr(_within(annotation), "__metadata__", ())
