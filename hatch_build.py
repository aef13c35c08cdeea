"""How a wheel differs from the checkout: all packages are in `troop/_packages`.

Imports between them are rewritten: `from data.errors import …` becomes
`from troop._packages.data.errors import …`. So their short names cannot collide with those of other
distributions, type checkers can follow them, and pickled objects name modules that can be imported
in any process in which Troop is installed.
"""

from __future__ import annotations

import ast
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HOME = "troop._packages"
PACKAGES = ("agent", "data", "runs", "sandbox", "selection")
_FROM = re.compile(rf"^([ \t]*from )(?=(?:{'|'.join(PACKAGES)})[ .])", re.MULTILINE)


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Rewrites imports, and puts the files of `moved` into their places in the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the build: name the files that are taken from elsewhere."""
        moved = {str(Path(self.root, old)): new for old, new in self.config["moved"].items()}
        if version == "editable":  # the packages stay where they are, under their plain names
            build_data["force_include"].update(moved)
            return
        self._rewritten = Path(tempfile.mkdtemp())
        each = self.build_config.builder.recurse_included_files()
        packaged = {one.path: one.distribution_path for one in each if one.path.endswith(".py")}
        for number, (old, new) in enumerate([*moved.items(), *packaged.items()]):
            file = self._rewritten / str(number)
            shutil.copy(old, file)
            file.write_bytes(rehomed(file.read_bytes(), new))
            build_data["force_include"][str(file)] = new

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatch calls it so
        """After the build."""
        if version != "editable":
            shutil.rmtree(self._rewritten)


def rehomed(source: bytes, name: str) -> bytes:
    """A module's source, with imports of our packages rewritten for the wheel.

    Raises:
        ValueError: one of our packages is imported in another way than `from … import`.
    """
    there = _FROM.sub(rf"\1{HOME}.", source.decode("utf-8"))
    for node in ast.walk(ast.parse(there)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(each.partition(".")[0] in PACKAGES for each in names):
            raise ValueError(f"{name}, line {node.lineno}: write `from … import …`")
    return there.encode("utf-8")
