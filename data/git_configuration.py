"""The settings in a repository's configuration, read without git and without included files."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from data.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LARGEST = 1 << 20


def search_path() -> str:
    """The PATH without relative folders: "." would be the repository that git works in."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(filter(os.path.isabs, folders))


def small_text(file: Path) -> str:
    """The text of a file of git's, which may not be a pipe or a device.

    Raises:
        UsageError: it is missing, not a file, larger than a megabyte, or unreadable.
    """
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST:
            raise UsageError(f"{file} is not a file of git's.", hint="Look at what put it there.")
        return file.read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error


def read_configuration(file: Path) -> dict[str, dict[str, str]]:
    """The settings by section, all names in lower case; without a file: none.

    Raises:
        UsageError: it is damaged or too large.
    """
    if not file.is_file():
        return {}
    small_text(file)
    # GitPython starts git when it is imported. This names the git that Troop starts.
    os.environ.setdefault(
        "GIT_PYTHON_GIT_EXECUTABLE", shutil.which("git", path=search_path()) or "git"
    )
    from git.config import GitConfigParser

    found: dict[str, dict[str, str]] = {}
    try:
        with GitConfigParser(str(file), read_only=True, merge_includes=False) as parser:
            for section in parser.sections():
                pairs = found.setdefault(section.lower(), {})
                for name, value in parser.items(section):
                    pairs[name.lower()] = "true" if value is None else str(value)
    except Exception as error:  # it documents no errors of its own
        raise UsageError(
            f"The file {file} cannot be read: {error}", hint="Look at it with `git config --list`."
        ) from error
    return found


def written(settings: Mapping[str, str]) -> str:
    """A configuration with these settings ("core.eol": "lf")."""
    lines = []
    for name, value in settings.items():
        section, _, key = name.rpartition(".")
        quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'[{section}]\n\t{key} = "{quoted}"\n')
    return "".join(lines)
