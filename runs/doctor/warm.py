"""Whether warm containers work in the engine, by trying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import SandboxUnavailable, UsageError
from runs.doctor.check import fine, less, unknown
from runs.doctor.images import take_stock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.doctor.check import Finding
    from runs.doctor.images import ImageNames
    from runs.doctor.shared import SharedEngine
    from sandbox.docker.engine import StoredImage

LIMIT_S = 60
_CALL_S = 30
_BENCHMARK = ("swebench/sweb.eval.", "sweb.eval.")
_OWN = "troop/host-python:"


def look_at_warm(shared: SharedEngine, wanted: ImageNames) -> list[Finding]:
    """A warm container, in one of the dataset's images if one is here."""
    from sandbox.docker.engine import Engine
    from sandbox.docker.hostimage import host_python_image
    from sandbox.docker.warm.probe import why_not_warm

    listed = shared.engine().stored_images()
    try:
        image = image_to_try(listed, _known(wanted)) or host_python_image()
    except SandboxUnavailable as error:
        text = (
            f"warm containers: not tried, because there is no image to try them in: {error.message}"
        )
        return [unknown("engine.warm", text, error.hint)]
    # A connection of its own: containers take longer than questions.
    engine = Engine.connect(connections=2, timeout_s=_CALL_S)
    try:
        return [about_warm(why_not_warm(engine, image), image)]
    finally:
        engine.close()


def about_warm(why_not: str, image: str) -> Finding:
    """What to say about warm containers, from why they do not work; "": they do."""
    name = "engine.warm"
    if not why_not:
        return fine(name, f"warm containers work (tried in {image}): an execution starts in 0.03 s")
    return less(
        name,
        f"no warm containers (tried in {image}): {why_not.rstrip('.')}; each execution"
        " gets a new container, which takes 0.4 s or more",
        "Results are the same. For speed, use Docker 20.10 or newer on Linux, with runc, as root.",
    )


def image_to_try(listed: Sequence[StoredImage], wanted: Sequence[str | None]) -> str:
    """An image that is here: of the dataset's, of a benchmark's, of Troop's own; "": none."""
    here = take_stock(wanted, listed).here
    if here:
        return next(iter(here))
    names = sorted(name for image in listed for name in image.tags)
    for prefix in (*_BENCHMARK, _OWN):
        found = next((name for name in names if name.startswith(prefix) and "@" not in name), "")
        if found:
            return found
    return ""


def _known(wanted: ImageNames) -> Sequence[str | None]:
    try:
        return wanted.get()
    except UsageError:
        return ()  # said by the check of the images
