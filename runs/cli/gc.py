"""Remove what Troop left behind: after a crash, or images that nothing uses.

Examples:
  troop gc                              containers and folders of processes that are gone
  troop gc --dry-run --images           only show it, images too
  troop gc --images                     all images that Troop pulled or made and nothing uses
  troop gc --images --older-than 7d     keep those used within seven days
  troop gc --images --others            also images that another or an older Troop made

Only what your own Troop made or pulled is removed, and nothing that a living process uses. An image
that you pulled, built or tagged, or that any container uses, stays. So does an image that another
user's Troop made on the same engine, or an older Troop, which did not mark its images.

The size of an image is what it shares with no other: UNIQUE SIZE in `docker system df -v`.
"""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING

from data.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from runs.show.layout import Sheet
    from sandbox.leftover import Leftover

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_THOUSAND = 1000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    parser.add_argument("--dry-run", action="store_true", help="only show it, remove nothing")
    parser.add_argument(
        "--images",
        action="store_true",
        help="remove images, too: those that Troop pulled or made",
    )
    parser.add_argument(
        "--others",
        action="store_true",
        help="with --images: also those that another or an older Troop made",
    )
    parser.add_argument(
        "--older-than",
        type=_seconds,
        metavar="TIME",
        help="with --images: only those not used for this long, such as 30m, 12h, 7d or 2w",
    )


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    from runs.cli.shared.terminal import progress, results
    from runs.words import plain
    from sandbox.kinds.gc import Places, connected
    from sandbox.leftover import Scope

    if args.older_than is not None and not args.images:
        raise UsageError(
            "--older-than is for images.",
            hint="Give --images, too; everything else is removed whatever its age.",
        )
    if args.others and not args.images:
        raise UsageError("--others is for images.", hint="Give --images, too.")
    with connected() as (engine, why_not):
        if engine is None:
            progress().print(plain(why_not), soft_wrap=True)
        places = Places(engine)
        found = places.leftovers(Scope(args.images, args.older_than or 0.0, args.others))
        if args.images and not args.others:
            _tell_others(*places.others())
        if not found:
            results().print("Nothing to remove.")
            return 0
        results().print(_table(found))
        results().print(plain(f"\n{_total(found)}" + (" (dry run)" if args.dry_run else "")))
        if not args.dry_run:
            _remove(found)
    return 0


def _tell_others(count: int, size: float) -> None:
    from runs.cli.shared.terminal import progress
    from runs.words import plain

    if count:
        images = f"{count} unused image{'s' if count > 1 else ''}"
        message = f"{images} of another or an older Troop stay: {_size(size)}"
        progress().print(plain(f"{message} (--others includes them)."), soft_wrap=True)


def _remove(found: list[Leftover]) -> None:
    from runs.cli.shared.terminal import progress, results
    from runs.words import plain

    removed = []
    for each in found:
        try:
            gone, why = each.remove(), "it is in use now"
        except (SandboxError, OSError) as error:
            gone, why = False, str(error)
        if gone:
            removed.append(each)
        else:
            progress().print(plain(f"{each.name} stays: {why}"), soft_wrap=True)
    results().print(plain(f"Removed: {_total(removed)}"))


def _table(found: list[Leftover]) -> Sheet:
    from runs.show.layout import Sheet
    from runs.words import plain

    table = Sheet("what", "name")
    table.column("size", justify="right")
    table.column("age", justify="right")
    table.column("why", fold=True)
    now = time.time()
    for each in found:
        age = _age(now - each.since)
        table.add_row(each.what, plain(each.name), _size(each.size), age, plain(each.why))
    return table


def _total(found: list[Leftover]) -> str:
    counts = dict.fromkeys(dict.fromkeys(each.what for each in found), 0)
    for each in found:
        counts[each.what] += 1
    told = ", ".join(f"{n} {what}{'s' if n > 1 else ''}" for what, n in counts.items())
    shared = " (more where images share layers)" if counts.get("image", 0) > 1 else ""
    return f"{told or 'nothing'}: {_size(sum(each.size for each in found))}{shared}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < _THOUSAND:
            return f"{count:.0f} {unit}" if unit != "GB" else f"{count:.1f} GB"
        count /= _THOUSAND
    return f"{count:.1f} TB"


def _age(seconds: float) -> str:
    for unit, length in reversed(_UNITS.items()):
        if seconds >= length and (unit != "w"):
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write 30m, 12h, 7d or 2w")
    return float(found[1]) * _UNITS[found[2]]
