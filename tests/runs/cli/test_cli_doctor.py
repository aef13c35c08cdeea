"""`troop doctor` as people run it: with and without an engine, a model server, a database."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import SandboxUnavailable
from runs.doctor import warm
from runs.doctor.check import Check, examine
from runs.doctor.images import ImageNames
from runs.doctor.leftovers import count
from runs.doctor.model import look_at_model
from runs.doctor.shared import SharedEngine
from runs.run.config import load_config
from sandbox.docker.engine.labels import container_labels
from sandbox.owner import this_process
from tests.support import model_server as servers
from tests.support.command import Command
from tests.support.docker import docker_engine, python_image
from tests.support.model_server import HANG, ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runs.doctor.check import Finding
    from sandbox.docker.engine import Engine

__all__ = ["docker_engine", "python_image"]

NOWHERE = "unix:///nowhere/docker.sock"
SECRET = "sk-secret-0123456789abcdef"


@pytest.fixture
def troop(tmp_path: Path) -> Command:
    """Without an engine."""
    command = Command(tmp_path)
    command.extra = {"DOCKER_HOST": NOWHERE, "OPENAI_API_KEY": SECRET}
    return command


@pytest.fixture
def with_engine(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda body: "yes", models=["mock"], max_model_len=150_000) as running:
        yield running


def report(troop: Command, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code and the findings by name."""
    code, output, errors = troop.run("doctor", "--json", *words)
    assert errors == ""
    answer = json.loads(output)
    assert answer["exit_code"] == code
    return code, {each["name"]: each for each in answer["findings"]}


def asked(url: str, name: str, *, small: str = "", call: bool = False) -> list[Finding]:
    """What is found of a model server."""
    given = {"model.base_url": url, "model.name": name, "context.model": small}
    return look_at_model(load_config(None, given), call=call)


# Without an engine


def test_a_missing_engine_must_be_fixed_unless_none_is_needed(troop):
    code, output, errors = troop.run("doctor")
    assert (code, errors) == (3, "")
    assert "✘ No Docker engine answers" in output
    assert "\n    Start the engine" in output
    assert output.count("not checked") == 4
    assert output.endswith("1 must be fixed.\n")
    assert "Traceback" not in output
    code, found = report(troop, "--sandbox", "auto")
    assert (code, found["engine"]["mark"]) == (0, "less")
    assert found["engine.warm"]["mark"] == "unknown"


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:9", "bogus", "unix:///dev/null"])
def test_an_engine_that_cannot_be_reached_must_be_fixed(troop, host):
    troop.extra |= {"DOCKER_HOST": host}
    code, found = report(troop)
    assert (code, found["engine"]["mark"]) == (3, "bad")
    assert found["engine"]["hint"]


def test_an_engine_that_hangs_is_waited_for_briefly(troop):
    with socket.socket(socket.AF_UNIX) as silent:
        path = troop.folder / "s"
        silent.bind(str(path))
        silent.listen()
        troop.extra |= {"DOCKER_HOST": f"unix://{path}"}
        code, found = report(troop)
    assert (code, found["engine"]["mark"]) == (3, "bad")
    assert "timed out" in found["engine"]["text"]
    assert found["leftovers"]["mark"] == "unknown"
    assert found["database.place"]["mark"] == "fine"


def test_help_has_examples_and_exit_codes(troop):
    output = troop.finish("doctor", "--help")
    for words in ("Examples:", "troop doctor --dataset", "--call", "3  the sandbox"):
        assert words in output


def test_a_terminal_without_these_marks_gets_ascii(troop):
    troop.extra |= {"PYTHONIOENCODING": "ascii"}
    _, output, _ = troop.run("doctor")
    assert output.isascii()
    assert "x No Docker engine answers" in output
    assert "! standard output: no terminal, ascii" in output


def test_reading_creates_nothing(troop):
    _, found = report(troop, "--db", str(troop.folder / "deep" / "er.db"))
    assert "no database yet" in found["database.place"]["text"]
    assert not (troop.folder / "deep").exists()
    report(troop)
    assert list(troop.folder.iterdir()) == []


def test_flags_that_make_no_sense_are_bad_input(troop):
    for words in (["--instance", "x"], ["--set", "model.nam=x"], ["--config", "missing.toml"]):
        code, output, errors = troop.run("doctor", *words)
        assert (code, output) == (2, "")
        assert errors.startswith("troop: ")


# The model server


def test_a_model_server_is_asked_and_the_key_never_shown(troop, server):
    words = ["--sandbox", "auto", "--model", "mock", "--base-url", server.base_url]
    code, found = report(troop, *words)
    assert code == 0
    assert found["model"]["mark"] == found["model.context"]["mark"] == "fine"
    assert "150,000 tokens" in found["model.context"]["text"]
    assert found["model.key"]["text"] == "OPENAI_API_KEY is set"
    assert SECRET not in json.dumps(found)
    assert not server.requests
    code, found = report(troop, *words, "--call", "--set", "context.tokens=140000")
    assert (code, len(server.requests)) == (0, 1)
    assert "a reply took" in found["model.call"]["text"]
    assert "--context-tokens 133616" in found["model.context"]["hint"]


def test_what_is_wrong_with_a_model_server(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    here = server.base_url
    (_, found) = asked(here, "mook")
    assert (found.mark, found.code) == ("bad", 4)
    assert "it has: mock" in found.text
    (_, found) = asked(here, "")
    assert found.mark == "less"
    assert "it has: mock" in found.text
    (_, main, context, other) = asked(here, "mock", small="small")
    assert (main.mark, context.mark, other.mark) == ("fine", "fine", "bad")
    (_, found) = asked("http://127.0.0.1:9/v1", "mock")
    assert (found.mark, found.code, found.hint != "") == ("bad", 4, True)
    (_, found) = asked("localhost:8000", "mock")
    assert (found.mark, found.code) == ("bad", 4)
    with ModelServer(lambda body: servers.refuse(401, f"bad key {SECRET}")) as refusing:
        *_, found = asked(refusing.base_url, "mock", call=True)
    assert (found.mark, found.code) == ("bad", 4)
    assert SECRET not in found.text
    with ModelServer(lambda body: servers.refuse(400, "temperature?")) as refusing:
        *_, found = asked(refusing.base_url, "mock", call=True)
    assert (found.name, found.mark) == ("model.call", "bad")
    with ModelServer(lambda body: "yes", models=[]) as silent:
        (_, found) = asked(silent.base_url, "")
        assert (found.mark, found.hint) == ("less", "Give --model M.")


def test_a_missing_key_for_the_hosted_api_must_be_fixed(troop):
    troop.extra["OPENAI_API_KEY"] = ""
    troop.extra["OPENAI_BASE_URL"] = ""
    code, found = report(troop, "--sandbox", "auto", "--model", "gpt-4.1")
    assert (code, found["model"]["mark"]) == (4, "bad")
    assert "OPENAI_API_KEY" in found["model"]["hint"]


def test_a_server_that_hangs_is_a_finding():
    with ModelServer(lambda body: "yes", models=HANG) as server:
        check = Check("model", lambda: asked(server.base_url, "mock"), 0.5, 4)
        (found,) = examine([check])
    assert found.text == "model: no answer within 0.5 s"


# With an engine


@pytest.mark.docker
def test_an_engine_is_described_in_order(with_engine, docker_engine, python_image):
    code, output, errors = with_engine.run("doctor")
    assert (code, errors) == (0, "")
    version = docker_engine.version()["Version"]
    lines = output.splitlines()
    begins = ["Python 3", "git version", "standard output", "Linux", "cgroup", "local sandbox"]
    begins += [f"Docker {version}", "storage: ", "limits: ", "seccomp: "]
    assert [line[2:].startswith(begin) for line, begin in zip(lines, begins, strict=False)]
    _, found = report(with_engine)
    assert found["engine.warm"]["mark"] in {"fine", "less"}
    assert found["engine.room"]["text"].startswith(str(docker_engine.info()["NCPU"]))
    # The image of the tests is that of another Troop: their own state folder made it.
    assert "stay" in found["leftovers.images"]["text"]


@pytest.mark.docker
@pytest.mark.parametrize(("why_not", "mark"), [("", "fine"), ("no mounts", "less")])
def test_warm_containers_are_tried_in_an_image_that_is_here(
    docker_engine, python_image, monkeypatch, why_not, mark
):
    tried = []

    def probe(engine: Engine, image: str) -> str:
        tried.append(engine.image(image).name)
        return why_not

    monkeypatch.setattr("sandbox.docker.warm.probe.why_not_warm", probe)
    shared = SharedEngine()
    (found,) = warm.look_at_warm(shared, ImageNames(None))
    shared.close()
    assert found.mark == mark
    assert tried[0] in found.text


@pytest.mark.docker
def test_without_an_image_warm_containers_are_not_tried(docker_engine, monkeypatch):
    def refuse() -> str:
        raise SandboxUnavailable("No image can be made.", hint="Pull one.")

    monkeypatch.setattr("sandbox.docker.hostimage.host_python_image", refuse)
    monkeypatch.setattr(warm, "image_to_try", lambda *_: "")
    shared = SharedEngine()
    (found,) = warm.look_at_warm(shared, ImageNames(None))
    shared.close()
    assert (found.mark, found.hint) == ("unknown", "Pull one.")


@pytest.mark.docker
def test_images_of_a_dataset_are_counted(with_engine, docker_engine, python_image):
    rows = [
        {
            "instance_id": f"calc__calc-{n}",
            "repo": "calc/calc",
            "base_commit": "0" * 40,
            "problem_statement": "It is broken.",
            "image": name,
        }
        for n, name in enumerate([python_image, "troop-tests/no-such-image:latest"])
    ]
    file = with_engine.folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, found = report(with_engine, "--dataset", str(file))
    assert (code, found["images"]["mark"]) == (0, "less")
    assert "2 instances, 2 images: 1 here" in found["images"]["text"]
    assert "1 to be pulled: troop-tests/no-such-image:latest" in found["images"]["text"]
    code, found = report(with_engine, "--dataset", str(file), "--instance", "calc__calc-0")
    assert (code, found["images"]["mark"]) == (0, "fine")
    code, found = report(with_engine, "--dataset", str(file), "--instance", "calc__calc-9")
    assert (code, found["images"]["mark"]) == (1, "bad")
    assert "Near it" in found["images"]["hint"]


@pytest.mark.docker
def test_containers_of_the_dead_are_found(with_engine, docker_engine: Engine, python_image):
    # Of an owner that another Troop, in another test say, does not see as dead: it is in
    # another process namespace of an earlier boot of a machine of another name.
    me = this_process()
    dead = replace(me, host="doctors-own", boot="earlier")
    image = docker_engine.image(python_image)
    settings = {"image": image.id, "labels": container_labels(dead, "r", "i")}
    container = docker_engine.create(settings, {})
    try:
        listed = docker_engine.stored_containers("troop=1", "troop.owner")
        assert count(listed, replace(me, host="doctors-own")).dead >= 1
        _, found = report(with_engine)
        assert "at work" in found["leftovers.containers"]["text"]
    finally:
        docker_engine.remove(container)
