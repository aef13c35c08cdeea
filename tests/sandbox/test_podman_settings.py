"""What is different where the engine is Podman, which speaks Docker's language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.docker.containers.seccomp import profile
from sandbox.docker.containers.settings import Machine, walled
from sandbox.docker.engine import Engine
from sandbox.protocol import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping


class Podman(Engine):
    """An engine that says what Podman 4.3 says of itself."""

    def __init__(self, *, here: bool) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._here = here

    def version(self) -> Mapping[str, Any]:
        return {"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}]}

    def info(self) -> Mapping[str, Any]:
        return {"NCPU": 2, "MemTotal": 4 << 30, "Architecture": "amd64"}

    @property
    def on_this_machine(self) -> bool:
        return self._here


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _options(engine: Engine) -> list[str]:
    options = walled(Limits(), Machine.of(engine))["security_opt"]
    return [option for option in options if option.startswith("seccomp=")]


def test_the_profile_is_a_file_for_podman() -> None:
    """It would take the profile itself for the name of a file."""
    for _ in range(2):
        (option,) = _options(Podman(here=True))
        path = Path(option.removeprefix("seccomp="))
        assert json.loads(path.read_text()) == json.loads(profile())


def test_a_podman_elsewhere_has_its_own_profile() -> None:
    """No file of this machine is there, so warm containers are not tried."""
    assert _options(Podman(here=False)) == []
    assert Machine.of(Podman(here=False)).seccomp == ""
