"""Which images Troop pulled or made, and who used them last: a small file of this user's.

Only images that are listed here may be removed. If in doubt, none is listed: with a
damaged file, or one of a later version, no image counts as ours.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from data.folders import state_folder
from data.writing import write_whole
from sandbox.locks import tried
from sandbox.owner import is_dead, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandbox.owner import Owner

_VERSION = 1
# Longer than Troop waits for the engine.
_LOCK_S = 150.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One image."""

    tags: tuple[str, ...]
    """Its names when it was pulled or made. With other names it is somebody else's by now."""
    since: float
    used: float
    """When it was last taken or given back."""
    holders: tuple[str, ...] = ()
    """The processes that need it now: `<owner> <place>`, as in the labels of containers."""

    def held(self, me: Owner) -> bool:
        """Whether a process that may be alive needs it."""
        return any(not _gone(holder, me) for holder in self.holders)


def _gone(holder: str, me: Owner) -> bool:
    owner, _, place = holder.partition(" ")
    return is_dead(owner, place, me)


class Ledger:
    """The images of one engine. Safe to use in several threads and processes."""

    def __init__(self, engine_id: str, folder: Path | None = None, me: Owner | None = None) -> None:
        """`folder`: default `state_folder()`."""
        self._engine = engine_id
        self._folder = folder or state_folder()
        self._me = me or this_process()
        self._holder = f"{self._me} {self._me.place}"

    @property
    def path(self) -> Path:
        """The file."""
        return self._folder / "images.json"

    @property
    def home(self) -> str:
        """The id of this user's Troop, kept in the folder; "": none has been made yet."""
        try:
            return self._home_file.read_text("ascii").strip()
        except (OSError, ValueError):
            return ""

    def settle(self) -> str:
        """`home`, which is made if there is none; "": the folder cannot be written."""
        with self._locked():
            if not self.home:
                try:
                    write_whole(self._home_file, secrets.token_hex(8).encode(), durable=True)
                except OSError as error:
                    _LOG.warning("Images cannot be marked as ours in %s: %s", self._folder, error)
            return self.home

    @property
    def _home_file(self) -> Path:
        return self._folder / "home"

    def entries(self) -> dict[str, LedgerEntry]:
        """Our images, by id."""
        return self._read()[1].get(self._engine, {})

    def add(self, image: str, tags: Iterable[str]) -> None:
        """Note an image that was just pulled or made, as held by this process."""
        now = time.time()
        with self._changing() as entries:
            known = entries.get(image)
            since = known.since if known else now
            holders = _with(known.holders if known else (), self._holder)
            entries[image] = LedgerEntry(tuple(sorted(tags)), since, now, holders)

    def hold(self, image: str) -> None:
        """Keep others from removing an image, if it is ours."""
        self._touch(image, hold=True)

    def release(self, image: str) -> None:
        """Note that this process no longer needs the image."""
        self._touch(image, hold=False)

    def release_all(self) -> None:
        """Note that this process no longer needs any image."""
        if any(self._holder in entry.holders for entry in self.entries().values()):
            with self._changing() as entries:
                for image, entry in entries.items():
                    if self._holder in entry.holders:
                        entries[image] = replace(entry, holders=_less(entry.holders, self._holder))

    def forget(self, images: Iterable[str]) -> None:
        """Remove the entries of images that are gone or no longer ours."""
        doomed = set(images)
        if doomed:
            with self._changing() as entries:
                for image in doomed:
                    entries.pop(image, None)

    def take_away(self, image: str, remove: Callable[[], bool]) -> bool:
        """Call `remove` unless somebody holds the image. Nobody can take it at the same time."""
        with self._locked(image) as locked:
            entry = self.entries().get(image)
            if not locked or (entry is not None and entry.held(self._me)):
                return False
            removed = remove()
            if removed:
                self.forget([image])
            return removed

    def _touch(self, image: str, *, hold: bool) -> None:
        # An image that is not ours needs no lock.
        if image not in self.entries():
            return
        with self._locked(image), self._changing() as entries:
            entry = entries.get(image)
            if entry is not None:
                change = _with if hold else _less
                holders = change(entry.holders, self._holder)
                entries[image] = replace(entry, used=time.time(), holders=holders)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, LedgerEntry]]:
        """This engine's entries, written back if they changed."""
        with self._locked():
            writable, engines = self._read()
            entries = engines.setdefault(self._engine, {})
            before = dict(entries)
            yield entries
            if entries == before or not writable:
                return
            for image, entry in entries.items():
                living = tuple(each for each in entry.holders if not _gone(each, self._me))
                entries[image] = replace(entry, holders=living)
            try:
                write_whole(self.path, _packed(engines), durable=True)
            except OSError as error:
                _LOG.warning("Pulled images cannot be noted in %s: %s", self.path, error)

    @contextlib.contextmanager
    def _locked(self, image: str = "") -> Iterator[bool]:
        """Hold the lock of an image, or else of the file, between processes. Yields whether it did.

        Images have their own locks, because an engine may take minutes to remove one. They
        share a few, so that there is not one file left for each image.
        """
        part = f".{image.rpartition(':')[2][:1]}" if image else ""
        with tried(self._folder / f"images.lock{part}", _LOCK_S) as why_not:
            if why_not is not None:
                _LOG.warning("%s cannot be locked: %s", self.path, why_not)
            yield why_not is None

    def _read(self) -> tuple[bool, dict[str, dict[str, LedgerEntry]]]:
        """Whether the file may be written, and what it holds, by engine."""
        try:
            return _unpacked(self.path.read_bytes())
        except FileNotFoundError:
            return True, {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _LOG.warning("%s cannot be read, so no image is known to be ours: %r", self.path, error)
            return not isinstance(error, OSError), {}


def _with(holders: tuple[str, ...], holder: str) -> tuple[str, ...]:
    return holders if holder in holders else (*holders, holder)


def _less(holders: tuple[str, ...], holder: str) -> tuple[str, ...]:
    return tuple(each for each in holders if each != holder)


def _packed(engines: dict[str, dict[str, LedgerEntry]]) -> bytes:
    plain = {
        engine: {image: asdict(entry) for image, entry in entries.items()}
        for engine, entries in engines.items()
        if entries
    }
    return json.dumps({"version": _VERSION, "engines": plain}, indent=1).encode()


def _unpacked(content: bytes) -> tuple[bool, dict[str, dict[str, LedgerEntry]]]:
    plain = json.loads(content)
    if plain["version"] != _VERSION:
        _LOG.warning("The list of pulled images was written by another version and is left alone.")
        return False, {}
    return True, {
        str(engine): {str(image): _entry(entry) for image, entry in entries.items()}
        for engine, entries in plain["engines"].items()
    }


def _entry(plain: dict[str, Any]) -> LedgerEntry:
    entry = LedgerEntry(
        tags=tuple(plain["tags"]),
        since=float(plain["since"]),
        used=float(plain["used"]),
        holders=tuple(plain["holders"]),
    )
    if not all(isinstance(text, str) for text in (*entry.tags, *entry.holders)):
        raise TypeError("a tag or a holder is not text")
    return entry
