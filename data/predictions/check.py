"""Predictions from outside, each accepted, repaired or refused with a reason."""

from __future__ import annotations

import difflib
import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.patches.repairs import repair
from data.predictions.predictions import columns_of
from data.predictions.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from data.predictions.rows import Row

_MOST_GUESSES = 20
"""For how many unknown ids similar ones are searched, because each takes a while."""


class PredictionVerdict(enum.StrEnum):
    """What happens to a prediction."""

    ACCEPTED = "accepted"
    """Used unchanged, byte by byte."""
    REPAIRED = "repaired"
    """Used after the repairs in the notes."""
    REFUSED = "refused"
    """Not used, for the reason in the notes."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One prediction and what happens to it."""

    where: str
    instance_id: str
    """"": it is not known."""
    model_name_or_path: str
    verdict: PredictionVerdict
    notes: tuple[str, ...] = ()
    """What was repaired, why it was refused, or what to know about it."""
    patch: str = ""
    """The patch that can be used."""
    repeats: bool = False
    """Whether the same patch for the same instance by the same model came before."""


@dataclass(slots=True)
class _Seen:
    """Earlier predictions as digests, so that a file of any length takes little memory."""

    first: dict[tuple[str, str], str] = field(default_factory=dict)
    patches: dict[tuple[str, str, bytes], str] = field(default_factory=dict)
    guesses: int = 0


def check_predictions(path: Path, *, known: Collection[str] | None = None) -> Iterator[Checked]:
    """Yield every prediction of a file with its verdict, in the file's order.

    A damaged prediction does not stop the others. `known`: the ids of the dataset;
    None: any id is accepted. Only one patch is in memory at a time.

    Raises:
        UsageError: the file itself cannot be read.
    """
    seen = _Seen()
    for row in read_rows(path):
        yield _checked(row, path.stem, known, seen)


def _checked(row: Row, stem: str, known: Collection[str] | None, seen: _Seen) -> Checked:
    name = row.name or _told(row)
    where = row.where.rpartition(", ")[2]
    model = ""
    try:
        name, model, patch = columns_of(row)
        notes = [] if "model_patch" in row.values else ["took the patch from another column"]
        if model != model.strip() or not model.isprintable():
            model = " ".join("".join(c if c.isprintable() else " " for c in model).split())
            notes.append("cleaned the name of its model")
        name, said = _known_id(name, known, seen)
        notes += [said] if said else []
        repaired = repair(patch)
    except UsageError as error:
        said = error.message.removeprefix(f"{row.where}: ")
        why = f"{said} {error.hint}".strip()
        return Checked(where, name, model, PredictionVerdict.REFUSED, (why,))
    notes += repaired.notes
    return _placed(
        Checked(where, name, model or stem, _verdict(notes), (), repaired.text), notes, row, seen
    )


def _placed(checked: Checked, notes: list[str], row: Row, seen: _Seen) -> Checked:
    """Add notes about earlier predictions and about an empty patch."""
    key = (checked.instance_id, checked.model_name_or_path)
    digest = hashlib.sha256(checked.patch.encode("utf-8")).digest()
    same, other = seen.patches.get((*key, digest)), seen.first.get(key)
    verdict, known = checked.verdict, list[str]()
    if same:
        verdict = PredictionVerdict.REPAIRED
        notes.append(f"left out: {same} has the same patch for it")
    elif other:
        known.append(f"{other} has another patch for it: a grader keeps only one")
    if not checked.patch:
        known.append("an empty patch")
        if row.values.get("model_patch", "") is None:
            verdict = PredictionVerdict.REPAIRED
            notes.append("took null as an empty patch")
    seen.patches.setdefault((*key, digest), checked.where)
    seen.first.setdefault(key, checked.where)
    return Checked(
        checked.where, *key, verdict, (*notes, *known), checked.patch, repeats=same is not None
    )


def _verdict(notes: list[str]) -> PredictionVerdict:
    return PredictionVerdict.REPAIRED if notes else PredictionVerdict.ACCEPTED


def _known_id(name: str, known: Collection[str] | None, seen: _Seen) -> tuple[str, str]:
    """Return the id that is meant, with a note if it is written differently.

    Raises:
        UsageError: it is not an id, or not one of the dataset's.
    """
    if known is not None and name in known:
        return name, ""
    plain = name.strip()
    if not plain.isprintable() or len(plain) > 200 or any(c in plain for c in "/\\ "):  # noqa: PLR2004
        raise UsageError(f"instance_id {name!a:.120} is not an id.")
    if known is None or plain in known:
        return plain, "" if plain == name else "removed the blanks around its id"
    # Image names have _1776_ where ids have two underscores, and no upper case.
    imaged = plain.replace("_1776_", "__")
    for form in known:
        if form.lower() == imaged.lower():
            return form, f"took {plain} as {form}"
    seen.guesses += 1
    near = difflib.get_close_matches(plain, known, n=2) if seen.guesses <= _MOST_GUESSES else []
    raise UsageError(
        f"The dataset has no instance {plain}.", hint=f"Near it: {', '.join(near)}." if near else ""
    )


def _told(row: Row) -> str:
    name = row.values.get("instance_id")
    return name[:200] if isinstance(name, str) else ""
