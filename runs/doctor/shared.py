"""One connection to the engine, and what it says about itself, for all checks that need it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.docker.engine import Engine

CONNECT_S = 4
CONTEXT = "context "
_CONNECTIONS = 6


@dataclass(frozen=True, slots=True)
class Facts:
    """What an engine says about itself."""

    info: Mapping[str, Any]
    """As `docker info --format '{{json .}}'` shows it."""
    version: Mapping[str, Any]
    """As `docker version` shows of the server."""
    host: str
    """Where it answers."""
    chosen_by: str
    """What chose it: an environment variable, a context, or nothing."""
    machine: str
    """This machine's name."""
    context_host: str | None = None
    """Where the chosen context's engine answers; None: none was chosen; "": it does not exist."""

    @property
    def is_podman(self) -> bool:
        """Whether it is Podman, which speaks Docker's protocol."""
        parts = self.version.get("Components") or []
        return "BuildahVersion" in self.info or any(
            "podman" in str(part.get("Name", "")).lower() for part in parts
        )

    @property
    def is_desktop(self) -> bool:
        """Whether it runs in a virtual machine of Docker Desktop."""
        return "Docker Desktop" in str(self.info.get("OperatingSystem", ""))

    @property
    def is_here(self) -> bool:
        """Whether its files are this machine's files."""
        return (
            self.host.startswith("unix://")
            and not self.is_desktop
            and self.info.get("Name") == self.machine
        )

    @property
    def security(self) -> Mapping[str, Mapping[str, str]]:
        """The security options by name, each with what it is set to."""
        found = {}
        for option in self.info.get("SecurityOptions") or []:
            # Before 1.24 of the API, an option was a bare name.
            text = option if "=" in option else f"name={option}"
            values = dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)
            found[values.pop("name", text)] = values
        return found


class NoEngineError(SandboxError):
    """There is no engine; the check of the engine itself says why, once."""


class SharedEngine:
    """Connects when it is first needed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._facts: Facts | None = None
        self._error: SandboxError | None = None

    def facts(self) -> Facts:
        """What the engine says about itself.

        Raises:
            SandboxError: none answers, and why.
        """
        with self._lock:
            if self._facts is None and self._error is None:
                try:
                    self._connect()
                except SandboxError as error:
                    self._error = error
            if self._facts is None:
                raise self._error or SandboxError("The engine says nothing about itself.")
            return self._facts

    def engine(self) -> Engine:
        """The connection.

        Raises:
            NoEngineError: there is none.
        """
        with contextlib.suppress(SandboxError):
            self.facts()
        if self._engine is None or self._facts is None:
            raise NoEngineError("No Docker engine answers.")
        return self._engine

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._engine is not None:
            self._engine.close()

    def _connect(self) -> None:
        from sandbox.docker.engine import Engine

        self._engine = engine = Engine.connect(connections=_CONNECTIONS, timeout_s=CONNECT_S)
        chosen = chosen_by(os.environ)
        self._facts = Facts(
            info=engine.info(),
            version=engine.version(),
            host=engine.host,
            chosen_by=chosen,
            machine=platform.node(),
            context_host=context_host(chosen, os.environ),
        )


def chosen_by(environment: Mapping[str, str]) -> str:
    """What names the engine to talk to."""
    if environment.get("DOCKER_HOST"):
        return "DOCKER_HOST"
    name = environment.get("DOCKER_CONTEXT")
    if not name:
        name = _read(_folder(environment) / "config.json").get("currentContext")
    return f"{CONTEXT}{name}" if name and name != "default" else "the default"


def context_host(chosen: str, environment: Mapping[str, str]) -> str | None:
    """Where a context's engine answers; None: no context was chosen; "": it does not exist."""
    if not chosen.startswith(CONTEXT):
        return None
    name = hashlib.sha256(chosen.removeprefix(CONTEXT).encode()).hexdigest()
    meta = _read(_folder(environment) / "contexts" / "meta" / name / "meta.json")
    try:
        return str(meta["Endpoints"]["docker"]["Host"])
    except (KeyError, TypeError):
        return ""


def _folder(environment: Mapping[str, str]) -> Path:
    """The Docker client's."""
    folder = environment.get("DOCKER_CONFIG")
    return Path(folder) if folder else Path.home() / ".docker"


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
