"""The small repository of the sandbox's tests, and a short way to run scripts on it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.instances.instance import Environment, Instance
from data.patches.patch import UNEDITED, FileChange, Patch
from sandbox.protocol import Limits, Script

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.docker.engine import Engine
    from sandbox.protocol import Execution, Sandbox, SandboxProvider

FILES = {
    "README": b"hello\n",
    "pkg/__init__.py": b"",
    "pkg/ops.py": b"def two():\n    return 3\n",
    "pkg/deep/only.py": b"X = 1\n",
    "run.sh": b"#!/bin/sh\necho ran\n",
    "blob.bin": bytes(range(256)) * 4,
    "l\xc3\xa4nder/\xc3\xb1.txt".encode("latin-1").decode(): b"n\n",
}
LINKS = {"outside": "/etc", "inside": "pkg", "tail": "README"}


@dataclass
class World:
    """A sandbox on the repository, and a short way to run scripts in it."""

    kind: str
    sandbox: Sandbox
    provider: SandboxProvider
    instance: Instance
    run_id: str
    folder: Path

    async def run(self, code: str, *changes: FileChange, **limits: float) -> Execution:
        script = Script(code)
        return await self.execute(script, Patch.of("", changes), **limits)

    async def execute(self, script: Script, patch: Patch = UNEDITED, **limits: float) -> Execution:
        return await self.sandbox.execute(script, patch, self.limits(**limits))

    @staticmethod
    def limits(**limits: float) -> Limits:
        return replace(Limits(timeout_s=60, memory_mb=512, cpus=2), **limits)  # type: ignore[arg-type]

    def changed(self, **fields: object) -> Instance:
        """The instance with another environment."""
        environment = replace(self.instance.environment, **fields)  # type: ignore[arg-type]
        return replace(self.instance, environment=environment)


def git(folder: Path, *words: str) -> str:
    """Run git in `folder` as somebody, at some time."""
    who = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_AUTHOR_DATE": "2001-01-01T00:00Z",
    }
    who |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "core.autocrlf=false", *words],
        check=True,
        capture_output=True,
        env=os.environ | who,
    )
    return done.stdout.decode().strip()


def in_image(image: str, **fields: object) -> Instance:
    """An instance of the image itself, where no repository is needed."""
    environment = replace(Environment(repo_dir="/usr/local", image=image), **fields)  # type: ignore[arg-type]
    return Instance("a__b-1", "a/b", "", "", environment)


def create(engine: Engine, image: str, labels: Mapping[str, str], made: list[str]) -> str:
    """A container that is never started; `made` gets its id too, for the end."""
    container = engine.create({"image": image, "command": ["true"], "labels": dict(labels)}, {})
    made.append(container)
    return container
